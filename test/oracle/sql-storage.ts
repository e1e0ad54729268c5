/** A Durable Object's SQLite on node:sqlite: the part of `SqlStorage` and of `transactionSync` that a TopicBuffer uses. */
import { DatabaseSync, type StatementSync } from "node:sqlite";

export class SqliteStorage {
  readonly sqlite = new DatabaseSync(":memory:");
  /** The same statements run again and again: SQLite would read and plan each anew. */
  readonly #prepared = new Map<string, StatementSync>();

  /** The binding's `exec`. Several statements in one text are run without parameters. */
  exec<T extends Record<string, SqlStorageValue>>(text: string, ...values: unknown[]): Cursor<T> {
    if (values.length === 0 && /;\s*\S/.test(text)) {
      this.sqlite.exec(text);
      return new Cursor<T>([], []);
    }
    const statement = this.#prepared.get(text) ?? this.sqlite.prepare(text);
    this.#prepared.set(text, statement);
    const rows: Record<string, unknown>[] = statement.all(...values.map(bindable));
    for (const row of rows) for (const [name, value] of Object.entries(row)) row[name] = plainOf(value);
    const names = statement.columns().map(({ name }) => name);
    if (!shaped<T>(rows)) throw new TypeError("rows are an array");
    return new Cursor<T>(names, rows);
  }

  /** One transaction; an error rolls it back. */
  transactionSync<T>(work: () => T): T {
    this.sqlite.exec("BEGIN");
    try {
      const result = work();
      this.sqlite.exec("COMMIT");
      return result;
    } catch (error) {
      this.sqlite.exec("ROLLBACK");
      throw error;
    }
  }
}

function bindable(value: unknown): string | number | null | Uint8Array {
  if (value === null || typeof value === "string" || typeof value === "number" || value instanceof Uint8Array)
    return value;
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  throw new TypeError(`${typeof value} cannot be bound`);
}

// The platform gives blobs as ArrayBuffer.
function plainOf(value: unknown): unknown {
  return value instanceof Uint8Array ? value.slice().buffer : value;
}

// SQL's rows have the shape that the statement's author says: taken on trust, here as on the platform.
function shaped<T>(rows: unknown): rows is T[] {
  return Array.isArray(rows);
}

class Cursor<T extends Record<string, SqlStorageValue>> implements SqlStorageCursor<T> {
  readonly columnNames: string[];
  readonly #rows: T[];
  #at = 0;

  constructor(columnNames: string[], rows: T[]) {
    this.columnNames = columnNames;
    this.#rows = rows;
  }

  get rowsRead(): number {
    return this.#rows.length;
  }
  get rowsWritten(): number {
    return 0;
  }

  next(): IteratorResult<T, undefined> {
    const value = this.#rows[this.#at];
    if (value === undefined) return { done: true, value };
    this.#at++;
    return { done: false, value };
  }

  toArray(): T[] {
    const rest = this.#rows.slice(this.#at);
    this.#at = this.#rows.length;
    return rest;
  }

  one(): T {
    const [row, ...more] = this.toArray();
    if (row === undefined || more.length > 0)
      throw new Error(`expected exactly one row, got ${row === undefined ? 0 : more.length + 1}`);
    return row;
  }

  raw<U extends SqlStorageValue[]>(): IterableIterator<U> {
    throw new Error("raw is not used");
  }

  [Symbol.iterator](): IterableIterator<T> {
    return this.toArray()[Symbol.iterator]();
  }
}
