/** Rows that an object's SQLite reads and writes. */
import type { Tally } from "./tally.ts";

type Cursor = Pick<SqlStorageCursor<Record<string, SqlStorageValue>>, "rowsRead" | "rowsWritten">;

/** Cursors know their rows once they are read: they are asked when the call that opened them has ended. */
let open: { readonly cursor: Cursor; readonly sql: string }[] = [];

/** Counts every statement of this storage, and each key that is put. */
export function countRows(storage: DurableObjectStorage, tally: Tally): void {
  const { sql } = storage;
  const exec = sql.exec.bind(sql);
  const put = storage.put.bind(storage);
  Object.defineProperty(sql, "exec", {
    value: (...call: Parameters<typeof exec>) => {
      const cursor = exec(...call);
      open.push({ cursor, sql: call[0] });
      return cursor;
    },
  });
  Object.defineProperty(storage, "put", {
    value: (...call: Parameters<typeof put>) => {
      tally.ran("object", `put ${String(call[0])}`, 0, 1);
      return put(...call);
    },
  });
}

export function settleRows(tally: Tally): void {
  for (const { cursor, sql } of open) tally.ran("object", sql, cursor.rowsRead, cursor.rowsWritten);
  open = [];
}
