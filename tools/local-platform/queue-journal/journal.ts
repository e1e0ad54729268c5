/**
 * The messages of the local platform's queues that no consumer has acknowledged, on disk: Miniflare's queues live in memory, so
 * that without this a 2xx would not survive a kill. SQLite, since its recovery after a kill at any point is proven.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

export interface JournalEntry {
  readonly id: number;
  /** The producer's binding: `TOPIC_ORDERS`. */
  readonly binding: string;
  readonly body: Uint8Array;
}

/** The bodies in the journal would exceed its bound: consumers are far behind. */
export class JournalFullError extends Error {
  override readonly name = "JournalFullError";
}

/** Some thousands of messages of 60 KB: what is left at a start is sent into Miniflare's memory. */
const MAX_BYTES = 512 * 1_024 * 1_024;

interface Waiting extends JournalEntry {
  settle(error?: unknown): void;
}

export class QueueJournal {
  readonly #db: DatabaseSync;
  readonly #maxBytes: number;
  #nextId: number;
  #bytes: number;
  /** Committed together at the end of this turn of the event loop. */
  #appended: Waiting[] = [];
  #removed: number[] = [];
  #commit: NodeJS.Immediate | undefined;

  /** Opens or makes the journal of a folder. Throws what the file system and SQLite throw. */
  constructor(folder: string, maxBytes: number = MAX_BYTES) {
    mkdirSync(folder, { recursive: true });
    this.#maxBytes = maxBytes;
    this.#db = new DatabaseSync(join(folder, "messages.sqlite"));
    // NORMAL: a commit survives every kill of the process; after a power cut, which the rest of the state does not survive
    // either, it may be missing.
    this.#db.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = NORMAL;
      CREATE TABLE IF NOT EXISTS messages (id INTEGER PRIMARY KEY, binding TEXT NOT NULL, body BLOB NOT NULL) STRICT`);
    const row = this.#db
      .prepare("SELECT coalesce(max(id), 0) AS last, coalesce(sum(length(body)), 0) AS bytes FROM messages")
      .get();
    this.#nextId = Number(row?.["last"] ?? 0) + 1;
    this.#bytes = Number(row?.["bytes"] ?? 0);
  }

  /** The id of a message that is on disk when this resolves. Throws JournalFullError, and what SQLite throws. */
  async append(binding: string, body: Uint8Array): Promise<number> {
    if (this.#bytes + body.byteLength > this.#maxBytes) {
      throw new JournalFullError(
        `the local queue journal has ${this.#bytes} bytes of unconsumed messages and takes no more than ${this.#maxBytes}`,
      );
    }
    const id = this.#nextId++;
    this.#bytes += body.byteLength;
    await new Promise<void>((resolve, reject) => {
      const settle = (error?: unknown) => (error === undefined ? resolve() : reject(error));
      this.#appended.push({ id, binding, body, settle });
      this.#commitSoon();
    });
    return id;
  }

  /** Forgets consumed messages, soon: one that a kill brings back is dropped by its buffer as a repeat. */
  remove(ids: readonly number[]): void {
    this.#removed.push(...ids);
    this.#commitSoon();
  }

  /** Messages with a higher id than `after`, a page in order of their ids. */
  page(after: number, limit: number): JournalEntry[] {
    return this.#db
      .prepare("SELECT id, binding, body FROM messages WHERE id > ? ORDER BY id LIMIT ?")
      .all(after, limit)
      .map(({ id, binding, body }) => ({
        id: Number(id),
        binding: String(binding),
        body: body instanceof Uint8Array ? body : new Uint8Array(),
      }));
  }

  /** The id of the newest message that was ever appended. */
  lastId(): number {
    return this.#nextId - 1;
  }

  /** How many messages are neither consumed nor forgotten. */
  count(): number {
    return Number(this.#db.prepare("SELECT count(*) AS n FROM messages").get()?.["n"] ?? 0);
  }

  close(): void {
    this.#commitNow();
    this.#db.close();
  }

  #commitSoon(): void {
    this.#commit ??= setImmediate(() => this.#commitNow());
  }

  #commitNow(): void {
    clearImmediate(this.#commit);
    this.#commit = undefined;
    const [appended, removed] = [this.#appended, this.#removed];
    this.#appended = [];
    this.#removed = [];
    if (appended.length + removed.length === 0) return;
    try {
      this.#bytes -= this.#write(appended, removed);
    } catch (error) {
      this.#bytes -= appended.reduce((sum, { body }) => sum + body.byteLength, 0);
      for (const { settle } of appended) settle(error);
      return;
    }
    for (const { settle } of appended) settle();
  }

  /** One transaction; the bytes of what it removed. */
  #write(appended: readonly JournalEntry[], removed: readonly number[]): number {
    const insert = this.#db.prepare("INSERT INTO messages VALUES (?, ?, ?)");
    const remove = this.#db.prepare("DELETE FROM messages WHERE id = ? RETURNING length(body) AS bytes");
    this.#db.exec("BEGIN");
    try {
      for (const { id, binding, body } of appended) insert.run(id, binding, body);
      const freed = removed.reduce((sum, id) => sum + Number(remove.get(id)?.["bytes"] ?? 0), 0);
      this.#db.exec("COMMIT");
      return freed;
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
      throw error;
    }
  }
}
