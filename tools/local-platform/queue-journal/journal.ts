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

export interface JournalBounds {
  /** Of all bodies on disk. */
  readonly bytes: number;
  /** Of the bodies that are kept in memory as well. */
  readonly cachedBytes: number;
}

/** On disk some ten thousand messages of 60 KB; in memory what consumers that keep up leave for a few seconds. */
const BOUNDS: JournalBounds = { bytes: 512 * 1_024 * 1_024, cachedBytes: 64 * 1_024 * 1_024 };

interface Appended extends JournalEntry {
  readonly body: Uint8Array;
  settle(error?: unknown): void;
}

export class QueueJournal {
  readonly #db: DatabaseSync;
  readonly #insert: StatementSync;
  readonly #delete: StatementSync;
  readonly #select: StatementSync;
  readonly #bounds: JournalBounds;
  #nextId: number;
  #bytes: number;
  /** Bodies by id. Once it is full new ones are left out: the queues deliver the oldest first. */
  readonly #cache = new Map<number, Uint8Array>();
  #cachedBytes = 0;
  /** Committed together at the end of this turn of the event loop. */
  #appended: Appended[] = [];
  #removed: number[] = [];
  #commit: NodeJS.Immediate | undefined;

  /** Opens or makes the journal of a folder. Throws what the file system and SQLite throw. */
  constructor(folder: string, bounds: JournalBounds = BOUNDS) {
    mkdirSync(folder, { recursive: true });
    this.#bounds = bounds;
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
    this.#delete = this.#db.prepare("DELETE FROM messages WHERE id = ? RETURNING length(body) AS bytes");
    this.#select = this.#db.prepare("SELECT body FROM messages WHERE id = ?");
    const row = this.#db
      .prepare("SELECT coalesce(max(id), 0) AS last, coalesce(sum(length(body)), 0) AS bytes FROM messages")
      .get();
    this.#nextId = Number(row?.["last"] ?? 0) + 1;
    this.#bytes = Number(row?.["bytes"] ?? 0);
  }

  /** The id of a message that is on disk when this resolves. Throws JournalFullError, and what SQLite throws. */
  async append(binding: string, body: Uint8Array): Promise<number> {
    if (this.#bytes + body.byteLength > this.#bounds.bytes) {
      throw new JournalFullError(
        `the local queue journal has ${this.#bytes} bytes of unconsumed messages and takes no more than ${this.#bounds.bytes}`,
      );
    }
    const id = this.#nextId++;
    this.#bytes += body.byteLength;
    await new Promise<void>((resolve, reject) => {
      const settle = (error?: unknown) => (error === undefined ? resolve() : reject(error));
      this.#appended.push({ id, binding, body, settle });
      this.#commitSoon();
    });
    this.#keep(id, body);
    return id;
  }

  /** The body of a message; undefined if it was removed. */
  body(id: number): Uint8Array | undefined {
    const cached = this.#cache.get(id);
    if (cached !== undefined) return cached;
    const body = this.#select.get(id)?.["body"];
    return body instanceof Uint8Array ? body : undefined;
  }

  /** Forgets consumed messages, soon: one that a kill brings back is dropped by its buffer as a repeat. */
  remove(ids: readonly number[]): void {
    for (const id of ids) {
      this.#cachedBytes -= this.#cache.get(id)?.byteLength ?? 0;
      this.#cache.delete(id);
    }
    this.#removed.push(...ids);
    this.#commitSoon();
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
    this.#db.close();
  }

  #keep(id: number, body: Uint8Array): void {
    if (this.#cachedBytes + body.byteLength > this.#bounds.cachedBytes) return;
    this.#cache.set(id, body);
    this.#cachedBytes += body.byteLength;
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
  #write(appended: readonly Appended[], removed: readonly number[]): number {
    this.#db.exec("BEGIN");
    try {
      for (const { id, binding, body } of appended) this.#insert.run(id, binding, body);
      const freed = removed.reduce((sum, id) => sum + Number(this.#delete.get(id)?.["bytes"] ?? 0), 0);
      this.#db.exec("COMMIT");
      return freed;
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
      throw error;
    }
  }
}
