/** Rows that an object's SQLite reads and writes. */
import type { Tally } from "./tally.ts";

type Cursor = Pick<SqlStorageCursor<Record<string, SqlStorageValue>>, "rowsRead" | "rowsWritten">;

/** Cursors know their rows once they are read: they are asked when the call that opened them has ended. */
let open: Cursor[] = [];

/** Counts every statement of this storage, and each key that is put. */
export function countRows(storage: DurableObjectStorage, tally: Tally): void {
  const { sql } = storage;
  const exec = sql.exec.bind(sql);
  const put = storage.put.bind(storage);
  Object.defineProperty(sql, "exec", {
    value: (...call: Parameters<typeof exec>) => {
      const cursor = exec(...call);
      open.push(cursor);
      return cursor;
    },
  });
  Object.defineProperty(storage, "put", {
    value: (...call: Parameters<typeof put>) => {
      tally.operations.objectRowsWritten++;
      return put(...call);
    },
  });
}

export function settleRows(tally: Tally): void {
  for (const { rowsRead, rowsWritten } of open) {
    tally.operations.objectRowsRead += rowsRead;
    tally.operations.objectRowsWritten += rowsWritten;
  }
  open = [];
}
