/**
 * The messages of the local platform's queues that no consumer has acknowledged, on disk: Miniflare's queues live in memory, so
 * that without this a 2xx would not survive a kill. SQLite, since its recovery after a kill at any point is proven.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";

/** What a queue is told of a message. */
export interface JournalEntry {
  readonly id: number;
  /** The producer's binding: `TOPIC_ORDERS`. */
  readonly binding: string;
}

/** The bodies in the journal would exceed its bound: consumers are far behind. */
export class JournalFullError extends Error {
  override readonly name = "JournalFullError";
}

/** Of all bodies: some ten thousand messages of 60 KB. */
const MAX_BYTES = 512 * 1_024 * 1_024;
/** What was consumed is deleted this often, for the same reason. A kill brings back what was consumed since. */
const REMOVE_MS = 1_000;

interface Appended extends JournalEntry {
  readonly body: Uint8Array;
  settle(error?: unknown): void;
}

export class QueueJournal {
  readonly #db: DatabaseSync;
  readonly #insert: StatementSync;
  readonly #delete: StatementSync;
  readonly #select: StatementSync;
  readonly #sizes: StatementSync;
  readonly #maxBytes: number;
  #nextId: number;
  #bytes: number;
  /** Committed together at the end of this turn of the event loop. */
  #appended: Appended[] = [];
  #commit: NodeJS.Immediate | undefined;
  /** Consumed, and still on disk. Bodies are kept nowhere else: in memory each would bring V8's next full collection nearer. */
  readonly #removed = new Set<number>();
  #removal: NodeJS.Timeout | undefined;

  /** Opens or makes the journal of a folder. Throws what the file system and SQLite throw. */
  constructor(folder: string, maxBytes = MAX_BYTES) {
    mkdirSync(folder, { recursive: true });
    this.#maxBytes = maxBytes;
    this.#db = new DatabaseSync(join(folder, "messages.sqlite"));
    // NORMAL: a commit survives every kill of the process; after a power cut, which the rest of the state does not survive
    // either, it may be missing.
    // A message takes a few large pages, and most are deleted before the log, of 64 MB, is written to the database.
    this.#db.exec(`
      PRAGMA page_size = 16384;
      PRAGMA journal_mode = WAL;
      PRAGMA wal_autocheckpoint = 4096;
      PRAGMA synchronous = NORMAL;
      CREATE TABLE IF NOT EXISTS messages (id INTEGER PRIMARY KEY, binding TEXT NOT NULL, body BLOB NOT NULL) STRICT`);
    this.#insert = this.#db.prepare("INSERT INTO messages VALUES (?, ?, ?)");
    this.#delete = this.#db.prepare("DELETE FROM messages WHERE id IN (SELECT value FROM json_each(?))");
    this.#sizes = this.#db.prepare(
      "SELECT coalesce(sum(length(body)), 0) AS bytes FROM messages WHERE id IN (SELECT value FROM json_each(?))",
    );
    this.#select = this.#db.prepare("SELECT body FROM messages WHERE id = ?");
    const row = this.#db
      .prepare("SELECT coalesce(max(id), 0) AS last, coalesce(sum(length(body)), 0) AS bytes FROM messages")
      .get();
    this.#nextId = Number(row?.["last"] ?? 0) + 1;
    this.#bytes = Number(row?.["bytes"] ?? 0);
  }

  /** The id of a message that is on disk when this resolves. Throws JournalFullError, and what SQLite throws. */
  async append(binding: string, body: Uint8Array): Promise<number> {
    const isFull = () => this.#bytes + body.byteLength > this.#maxBytes;
    if (isFull()) this.#removeNow();
    if (isFull()) {
      throw new JournalFullError(
        `the local queue journal has ${this.#bytes} bytes of unconsumed messages and takes no more than ${this.#maxBytes}`,
      );
    }
    const id = this.#nextId++;
    this.#bytes += body.byteLength;
    await new Promise<void>((resolve, reject) => {
      const settle = (error?: unknown) => (error === undefined ? resolve() : reject(error));
      this.#appended.push({ id, binding, body, settle });
      this.#commit ??= setImmediate(() => this.#commitNow());
    });
    return id;
  }

  /** The body of a message; undefined if it was removed. */
  body(id: number): Uint8Array | undefined {
    if (this.#removed.has(id)) return undefined;
    const body = this.#select.get(id)?.["body"];
    return body instanceof Uint8Array ? body : undefined;
  }

  /** Forgets consumed messages, on disk soon: one that a kill brings back is dropped by its buffer as a repeat. */
  remove(ids: readonly number[]): void {
    // An id that is yet to be given would take a message with it.
    for (const id of ids) if (id < this.#nextId) this.#removed.add(id);
    this.#removeSoon();
  }

  /** All messages, in order of their ids. */
  entries(): JournalEntry[] {
    return this.#db
      .prepare("SELECT id, binding FROM messages ORDER BY id")
      .all()
      .map(({ id, binding }) => ({ id: Number(id), binding: String(binding) }));
  }

  close(): void {
    this.#commitNow();
    this.#removeNow();
    clearTimeout(this.#removal);
    this.#db.close();
  }

  #commitNow(): void {
    clearImmediate(this.#commit);
    this.#commit = undefined;
    const appended = this.#appended;
    this.#appended = [];
    if (appended.length === 0) return;
    try {
      this.#transaction(() => {
        for (const { id, binding, body } of appended) this.#insert.run(id, binding, body);
      });
    } catch (error) {
      this.#bytes -= appended.reduce((sum, { body }) => sum + body.byteLength, 0);
      for (const { settle } of appended) settle(error);
      return;
    }
    for (const { settle } of appended) settle();
  }

  #removeSoon(): void {
    this.#removal ??= setTimeout(() => this.#removeNow(), REMOVE_MS);
  }

  #removeNow(): void {
    clearTimeout(this.#removal);
    this.#removal = undefined;
    if (this.#removed.size === 0) return;
    const ids = JSON.stringify([...this.#removed]);
    try {
      const freed = Number(this.#sizes.get(ids)?.["bytes"]);
      this.#transaction(() => this.#delete.run(ids));
      this.#bytes -= freed;
      this.#removed.clear();
    } catch {
      // A full disk, say. Nobody is given these bodies any more.
      this.#removeSoon();
    }
  }

  #transaction(write: () => unknown): void {
    this.#db.exec("BEGIN");
    try {
      write();
      this.#db.exec("COMMIT");
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
      throw error;
    }
  }
}
