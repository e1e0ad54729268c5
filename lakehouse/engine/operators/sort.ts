import { columnByteLength } from "../columns/byte-length.ts";
import type { Column } from "../columns/column.ts";
import { concatColumns, gather } from "../columns/gather.ts";
import { comparator } from "../expressions/comparison.ts";
import type { Rows } from "../expressions/vector.ts";
import type { HeldRows } from "./held-rows.ts";

/** One column to sort by, over all rows. */
export interface SortColumn {
  readonly column: Column;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
}

/** The order of the rows: a permutation; rows that tie keep their order. */
export function sortedOrder(by: readonly SortColumn[], length: number): Int32Array {
  const comparisons = by.map(({ column, descending, nullsFirst }) => {
    const compare = comparator(column, column);
    const { nulls } = column;
    const nullOrder = nullsFirst ? -1 : 1;
    return (a: number, b: number) => {
      const aNull = nulls?.[a] === 1;
      const bNull = nulls?.[b] === 1;
      if (aNull || bNull) return aNull === bNull ? 0 : aNull ? nullOrder : -nullOrder;
      return descending ? compare(b, a) : compare(a, b);
    };
  });
  return Int32Array.from({ length }, (_, row) => row).sort((a, b) => {
    for (const compare of comparisons) {
      const order = compare(a, b);
      if (order !== 0) return order;
    }
    return a - b;
  });
}

/**
 * All rows of a stream as one; `undefined` when there was no batch at all. Where more rows than `past` are held, what `prune` leaves of
 * them takes their place.
 */
export async function collectRows(
  input: AsyncIterable<Rows>,
  held: HeldRows,
  pruning?: { readonly past: number; prune(rows: Rows): Rows },
): Promise<Rows | undefined> {
  const hold = held.account();
  let parts: Rows[] = [];
  let length = 0;
  let bytes = 0;
  for await (const rows of input) {
    if (rows.length === 0 && parts.length > 0) continue;
    length += rows.length;
    bytes += bytesOf(rows);
    parts.push(rows);
    if (pruning !== undefined && length > pruning.past) {
      const left = pruning.prune(joined(parts));
      parts = [left];
      length = left.length;
      bytes = bytesOf(left);
    }
    held.check(length);
    // As they came, as one where they came in parts, and in their order.
    hold((parts.length > 1 ? 3 : 2) * bytes, () => ({
      what: `${length} rows of ${bytes} bytes, which are copied to be sorted`,
      remedy: "keep fewer rows, or fewer and shorter columns of them",
    }));
  }
  return parts.length === 0 ? undefined : joined(parts);
}

function bytesOf({ columns }: Rows): number {
  return columns.reduce((total, column) => total + columnByteLength(column), 0);
}

/** There is a part. */
function joined(parts: readonly Rows[]): Rows {
  const [{ columns } = { columns: [] }] = parts;
  return {
    // All parts have the columns of the first.
    columns: columns.map((_, index) => concatColumns(parts.map((part) => part.columns[index]!))),
    length: parts.reduce((total, { length }) => total + length, 0),
  };
}

export function reorderRows(rows: Rows, order: Int32Array): Rows {
  return { columns: rows.columns.map((column) => gather(column, order)), length: order.length };
}
