import { columnByteLength } from "./byte-length.ts";
import type { Column } from "./column.ts";

/** Bytes that each row takes of the columns together, about as `columnByteLength` counts them. */
export function rowBytes(columns: readonly Column[], length: number): Float64Array {
  const sizes = new Float64Array(length);
  for (const column of columns) addBytes(column, sizes);
  return sizes;
}

// A column has length + 1 offsets, and no fewer rows than there are sizes.
function addBytes(column: Column, sizes: Float64Array): void {
  switch (column.kind) {
    case "bytes":
      for (let row = 0; row < sizes.length; row++) sizes[row]! += 4 + column.offsets[row + 1]! - column.offsets[row]!;
      return;
    case "list": {
      const items = rowBytes([column.item], column.item.length);
      for (let row = 0; row < sizes.length; row++) {
        let bytes = 4;
        for (let item = column.offsets[row]!; item < column.offsets[row + 1]!; item++) bytes += items[item]!;
        sizes[row]! += bytes;
      }
      return;
    }
    case "struct":
      for (const field of column.fields) addBytes(field, sizes);
      return;
    default: {
      const each = column.length === 0 ? 0 : columnByteLength(column) / column.length;
      for (let row = 0; row < sizes.length; row++) sizes[row]! += each;
    }
  }
}
