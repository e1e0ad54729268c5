import type { Batch, Column, Nulls } from "./column.ts";

/**
 * Rows `[start, end)` of a column as views on the same buffers: nothing is copied, so offsets of a slice need not begin at 0.
 * Throws a RangeError when the range is not within the column.
 */
export function sliceColumn(column: Column, start: number, end: number): Column {
  requireRange(column.length, start, end);
  if (start === 0 && end === column.length) return column;
  const length = end - start;
  const nulls = sliceNulls(column.nulls, start, end);
  const { type } = column;
  switch (column.kind) {
    case "bool":
      return { kind: "bool", type, length, nulls, values: column.values.subarray(start, end) };
    case "int32":
      return { kind: "int32", type, length, nulls, values: column.values.subarray(start, end) };
    case "int64":
      return { kind: "int64", type, length, nulls, values: column.values.subarray(start, end) };
    case "int128":
      return { kind: "int128", type, length, nulls, values: column.values.subarray(start * 2, end * 2) };
    case "float64":
      return { kind: "float64", type, length, nulls, values: column.values.subarray(start, end) };
    case "bytes":
      return {
        kind: "bytes",
        type,
        length,
        nulls,
        offsets: column.offsets.subarray(start, end + 1),
        bytes: column.bytes,
      };
    case "list":
      return { kind: "list", type, length, nulls, offsets: column.offsets.subarray(start, end + 1), item: column.item };
    case "struct":
      return {
        kind: "struct",
        type,
        length,
        nulls,
        fields: column.fields.map((field) => sliceColumn(field, start, end)),
      };
  }
}

/** Rows `[start, end)` of a batch, as `sliceColumn` gives them. */
export function sliceBatch(batch: Batch, start: number, end: number): Batch {
  requireRange(batch.length, start, end);
  if (start === 0 && end === batch.length) return batch;
  return {
    fields: batch.fields,
    columns: batch.columns.map((column) => sliceColumn(column, start, end)),
    length: end - start,
  };
}

/** A slice without a null loses its marks: `undefined` is how a column says that it holds none. */
function sliceNulls(nulls: Nulls, start: number, end: number): Nulls {
  const slice = nulls?.subarray(start, end);
  return slice?.includes(1) ? slice : undefined;
}

function requireRange(length: number, start: number, end: number): void {
  if (start < 0 || end < start || end > length) throw new RangeError(`rows ${start} to ${end} of ${length}`);
}
