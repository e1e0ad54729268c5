import type { Column } from "../columns/column.ts";
import { concatColumns, gather } from "../columns/gather.ts";
import { argument, type Rows } from "./vector.ts";

/** The rows of a bool column that are true (not false, not null), as indices. */
export function trueRows(values: Uint8Array, nulls: Uint8Array | undefined, length: number): Int32Array {
  const rows = new Int32Array(length);
  let count = 0;
  // Row indices run below `length`: the reads are defined.
  for (let row = 0; row < length; row++) if (values[row] === 1 && nulls?.[row] !== 1) rows[count++] = row;
  return rows.subarray(0, count);
}

/**
 * The given rows of `rows`, with only the columns of `used` copied: the others keep their old length and must not be
 * read. All rows, in order, are returned as they are.
 */
export function selectRows(rows: Rows, indices: Int32Array, used: ReadonlySet<number>): Rows {
  if (indices.length === rows.length) return rows;
  return {
    columns: rows.columns.map((column, index) => (used.has(index) ? gather(column, indices) : column)),
    length: indices.length,
  };
}

/** Row i from the column `choice[i]`; all columns have `choice.length` rows and one layout. */
export function pickRows(columns: readonly Column[], choice: Int32Array): Column {
  const length = choice.length;
  const indices = new Int32Array(length);
  for (let row = 0; row < length; row++) indices[row] = choice[row]! * length + row;
  return gather(concatColumns(columns), indices);
}

/** Puts parts back in order: row j of part p becomes row `targets[p][j]`; together the targets are a permutation. */
export function assembleRows(parts: readonly Column[], targets: readonly Int32Array[], length: number): Column {
  if (parts.length === 1) return argument(parts, 0);
  const indices = new Int32Array(length);
  let at = 0;
  for (const target of targets) for (const row of target) indices[row] = at++;
  return gather(concatColumns(parts), indices);
}
