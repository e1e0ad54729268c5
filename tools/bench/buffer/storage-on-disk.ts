/** The `exec` of a Durable Object's SQLite, on a file: what it keeps is not in the memory that is measured. */
import { DatabaseSync } from "node:sqlite";

export function storageOnDisk(path: string): Pick<SqlStorage, "exec"> {
  const database = new DatabaseSync(path);
  // Nothing here must outlive the process.
  database.exec("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF");
  return {
    exec<T extends Record<string, SqlStorageValue>>(text: string, ...values: unknown[]): SqlStorageCursor<T> {
      if (values.length === 0 && /;\s*\S/.test(text)) {
        database.exec(text);
        return cursorOf<T>([]);
      }
      const rows: Record<string, unknown>[] = database.prepare(text).all(...values.map(bindable));
      for (const row of rows) {
        // The platform gives blobs as ArrayBuffer.
        for (const [name, value] of Object.entries(row)) {
          if (value instanceof Uint8Array) row[name] = value.slice().buffer;
        }
      }
      if (!shaped<T>(rows)) throw new TypeError("rows are an array");
      return cursorOf(rows);
    },
  };
}

function bindable(value: unknown): string | number | null | Uint8Array {
  if (value === null || typeof value === "string" || typeof value === "number" || value instanceof Uint8Array)
    return value;
  throw new TypeError(`${typeof value} cannot be bound`);
}

// SQL's rows have the shape that the statement's author says, as on the platform.
function shaped<T>(rows: unknown): rows is T[] {
  return Array.isArray(rows);
}

function cursorOf<T extends Record<string, SqlStorageValue>>(rows: readonly T[]): SqlStorageCursor<T> {
  const rest = rows.values();
  return {
    next: () => {
      const { done, value } = rest.next();
      return done === true || value === undefined ? { done: true, value: undefined } : { done: false, value };
    },
    toArray: () => [...rest],
    one() {
      const [row] = rest;
      if (row === undefined) throw new Error("expected a row");
      return row;
    },
    raw() {
      throw new Error("raw is not used");
    },
    columnNames: [],
    rowsRead: rows.length,
    rowsWritten: 0,
    [Symbol.iterator]: () => rest,
  };
}
