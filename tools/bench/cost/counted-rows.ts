/** Rows that an object's SQLite reads and writes. */
import type { Operations } from "../../prices.ts";

type Cursor = Pick<SqlStorageCursor<Record<string, SqlStorageValue>>, "rowsRead" | "rowsWritten">;

/** Cursors know their rows once they are read: they are asked when the call that opened them has ended. */
let open: Cursor[] = [];

/** Counts every statement of this storage, and each alarm that is set: a row written. */
export function countRows(storage: DurableObjectStorage, operations: Operations): void {
  const { sql } = storage;
  const exec = sql.exec.bind(sql);
  const setAlarm = storage.setAlarm.bind(storage);
  const put = storage.put.bind(storage);
  Object.defineProperty(sql, "exec", {
    value: (...call: Parameters<typeof exec>) => {
      const cursor = exec(...call);
      open.push(cursor);
      return cursor;
    },
  });
  Object.defineProperty(storage, "setAlarm", {
    value: (...call: Parameters<typeof setAlarm>) => {
      operations.objectRowsWritten++;
      return setAlarm(...call);
    },
  });
  Object.defineProperty(storage, "put", {
    value: (...call: Parameters<typeof put>) => {
      operations.objectRowsWritten++;
      return put(...call);
    },
  });
}

export function settleRows(operations: Operations): void {
  for (const { rowsRead, rowsWritten } of open) {
    operations.objectRowsRead += rowsRead;
    operations.objectRowsWritten += rowsWritten;
  }
  open = [];
}
