/**
 * One row per dedupe key within a partition: the first by (received, message id, event index), with the number of
 * copies. The order is total, so the result does not depend on which file or shard a row came from.
 */
import type { Batch, Column } from "../../engine/columns/column.ts";
import { createTupleIndex } from "../../engine/columns/tuple-index.ts";

export interface Deduplicated {
  /** Row numbers of the winners in the order of the table: (received, message id, event index). */
  readonly rows: Int32Array;
  /** For each of `rows`, how many rows had its key. */
  readonly copies: Int32Array;
  /** Microseconds of reception of the rows that did not win, for the ledger. */
  readonly removedReceived: readonly number[];
}

/** Deduplicates `batch` by the columns of `key`. Throws a RangeError when it lacks one of the columns. */
export function deduplicate(batch: Batch, key: readonly string[]): Deduplicated {
  const before = arrivalOrder(batch);
  const order = Int32Array.from({ length: batch.length }, (_, row) => row).sort(before);
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

function arrivalOrder(batch: Batch): (a: number, b: number) => number {
  const received = int64Of(batch, "_received");
  const message = columnOf(batch, "_message");
  if (message.kind !== "bytes") throw new RangeError("_message is not a column of bytes");
  const { bytes, offsets } = message;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const endOf = (row: number): number => offsets[row + 1] ?? 0;
  const event = columnOf(batch, "_event");
  if (event.kind !== "int32") throw new RangeError("_event is not an int32 column");
  return (a, b) => {
    const ra = received[a] ?? 0n;
    const rb = received[b] ?? 0n;
    if (ra !== rb) return ra < rb ? -1 : 1;
    const byMessage = buffer.compare(buffer, offsets[b], endOf(b), offsets[a], endOf(a));
    if (byMessage !== 0) return byMessage;
    return (event.values[a] ?? 0) - (event.values[b] ?? 0);
  };
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
