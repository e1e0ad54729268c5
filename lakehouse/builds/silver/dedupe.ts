/**
 * One row per dedupe key within a partition: the one of the lowest position, with the number of copies. Positions
 * (`sql/statements/bronze-inputs.ts`) only grow, so rows that come later never change who won.
 */
import type { Batch, Column } from "../../engine/columns/column.ts";
import { createTupleIndex } from "../../engine/columns/tuple-index.ts";

export interface Deduplicated {
  /** Row numbers of the winners in the order of their positions. */
  readonly rows: Int32Array;
  /** For each of `rows`, how many rows had its key. */
  readonly copies: Int32Array;
  /** Microseconds of reception of the rows that did not win, for the ledger. */
  readonly removedReceived: readonly number[];
}

/**
 * Deduplicates `batch` by the columns of `key`. `order`: all of its row numbers in the order of their positions. Throws a RangeError
 * when it lacks one of the columns.
 */
export function deduplicate(batch: Batch, key: readonly string[], order: Int32Array): Deduplicated {
  const columns = key.map((name) => columnOf(batch, name));
  const keys = createTupleIndex(columns.length);
  const { groups } = keys.assign(columns, batch.length);
  const received = int64Of(batch, "_received");
  const position = new Int32Array(keys.count).fill(-1);
  const rows: number[] = [];
  const copies: number[] = [];
  const removedReceived: number[] = [];
  for (const row of order) {
    const value = groups[row] ?? 0;
    const first = position[value] ?? -1;
    if (first < 0) {
      position[value] = rows.length;
      rows.push(row);
      copies.push(1);
    } else {
      copies[first] = (copies[first] ?? 0) + 1;
      removedReceived.push(Number(received[row]));
    }
  }
  return { rows: Int32Array.from(rows), copies: Int32Array.from(copies), removedReceived };
}

function int64Of(batch: Batch, name: string): BigInt64Array {
  const column = columnOf(batch, name);
  if (column.kind !== "int64") throw new RangeError(`${name} is not an int64 column`);
  return column.values;
}

function columnOf(batch: Batch, name: string): Column {
  const column = batch.columns[batch.fields.findIndex((field) => field.name === name)];
  if (column === undefined) throw new RangeError(`the rows have no column ${name}`);
  return column;
}
