import type { Batch, Column } from "./column.ts";
import { sliceColumn } from "./slice.ts";

/**
 * Bytes that a column's rows take: values, offsets, null marks, nested columns. For a slice only the rows in it count, not the
 * buffers it shares. It is close to the plain (unencoded, uncompressed) size in Parquet.
 */
export function columnByteLength(column: Column): number {
  const nulls = column.nulls === undefined ? 0 : column.length;
  switch (column.kind) {
    case "bool":
      return nulls + column.length;
    case "int32":
      return nulls + column.length * 4;
    case "int64":
    case "float64":
      return nulls + column.length * 8;
    case "int128":
      return nulls + column.length * 16;
    case "bytes": {
      // A column has length + 1 offsets.
      const used = column.offsets[column.length]! - column.offsets[0]!;
      return nulls + (column.length + 1) * 4 + used;
    }
    case "list": {
      // As above. Only the items of these rows count.
      const item = sliceColumn(column.item, column.offsets[0]!, column.offsets[column.length]!);
      return nulls + (column.length + 1) * 4 + columnByteLength(item);
    }
    case "struct":
      return column.fields.reduce((total, field) => total + columnByteLength(field), nulls);
  }
}

/** Bytes that a batch's rows take, all columns together (see `columnByteLength`). */
export function batchByteLength(batch: Batch): number {
  return batch.columns.reduce((total, column) => total + columnByteLength(column), 0);
}
