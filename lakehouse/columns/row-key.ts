/** Rows as strings that are equal exactly when their values are: keys of maps and sets. */
import type { Column } from "./column.ts";

/**
 * A function from a row number to the key of its values in `columns`. Different tuples never share a key: each part says
 * its length. Latin-1 text stands for bytes, so no text is decoded. Throws a TypeError for nested columns.
 */
export function keyReader(columns: readonly Column[]): (row: number) => string {
  const parts = columns.map(partReader);
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  return (row) => {
    let key = "";
    for (const part of parts) {
      const text = part(row);
      key += `${text.length}:${text}`;
    }
    return key;
  };
}

function partReader(column: Column): (row: number) => string {
  const read = valueReader(column);
  const { nulls } = column;
  // "n" and "v" keep NULL apart from every value.
  return nulls === undefined ? (row) => `v${read(row)}` : (row) => (nulls[row] === 1 ? "n" : `v${read(row)}`);
}

function valueReader(column: Column): (row: number) => string {
  switch (column.kind) {
    case "bytes": {
      const { bytes, offsets } = column;
      const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      return (row) => buffer.latin1Slice(offsets[row], offsets[row + 1]);
    }
    case "int128":
      return (row) => `${column.values[row * 2]},${column.values[row * 2 + 1]}`;
    case "list":
    case "struct":
      throw new TypeError(`a ${column.kind} column cannot be part of a key`);
    default:
      return (row) => String(column.values[row]);
  }
}
