import { columnByteLength } from "../columns/byte-length.ts";
import type { Column } from "../columns/column.ts";
import { concatColumns } from "../columns/gather.ts";
import { rowHashes } from "../columns/row-hash.ts";
import { nullColumn } from "../expressions/casts.ts";
import { type Comparator, comparator } from "../expressions/comparison.ts";
import { prepare } from "../expressions/prepare.ts";
import { mergeNulls, type Rows } from "../expressions/vector.ts";
import type { Plan } from "../ir/ir.ts";
import type { HeldRows } from "./held-rows.ts";
import { outputTypes } from "./output-types.ts";

/** No row has the key. */
const NONE = -1;
/** The key that was asked for is null. */
const NULL_KEY = -2;

/** The right side of a join, by the hash of its keys. Rows of one key are linked in their order. */
export interface Lookup {
  readonly columns: readonly Column[];
  readonly length: number;
  /** Whether a key of the right side is null. */
  readonly hasNullKey: boolean;
  /** For each row the first row of the right side with its key; negative without one: `nullKey` if the key is null. */
  probe(keys: readonly Column[], length: number): Int32Array;
  /** The next row of the same key, or negative. */
  next(row: number): number;
  readonly nullKey: number;
}

/** Reads the right side. Throws `ModelTooLargeError` when it passes what a lookup may hold. */
export async function createLookup(
  plan: Extract<Plan, { node: "join" }>,
  right: AsyncIterable<Rows>,
  held: HeldRows,
): Promise<Lookup> {
  const { columns, length } = await collect(plan.right, right, held);
  const keys = plan.keys.map((key) => prepare(key.right)({ columns, length }));
  const nulls = mergeNulls(keys, length);
  const hashes = rowHashes(keys, length);
  const same = equality(keys, keys);
  const mask = 2 ** Math.ceil(Math.log2(Math.max(2, length * 2))) - 1;
  // A slot holds the first row of a key; keys that meet at a slot take the ones behind it.
  const slots = new Int32Array(mask + 1).fill(NONE);
  const following = new Int32Array(length).fill(NONE);
  // From the last row to the first, so that each key begins with its first row.
  for (let row = length - 1; row >= 0; row--) {
    if (nulls?.[row] === 1) continue;
    let slot = hashes[row]! & mask;
    while (slots[slot]! >= 0 && !(hashes[slots[slot]!] === hashes[row] && same(slots[slot]!, row)))
      slot = (slot + 1) & mask;
    following[row] = slots[slot]!;
    slots[slot] = row;
  }
  return {
    columns,
    length,
    hasNullKey: nulls?.includes(1) ?? false,
    nullKey: NULL_KEY,
    next: (row) => following[row]!,
    probe(asked, count) {
      const found = new Int32Array(count).fill(NONE);
      const askedNulls = mergeNulls(asked, count);
      const askedHashes = rowHashes(asked, count);
      const equal = equality(keys, asked);
      for (let row = 0; row < count; row++) {
        if (askedNulls?.[row] === 1) {
          found[row] = NULL_KEY;
          continue;
        }
        const hash = askedHashes[row]!;
        let slot = hash & mask;
        while (slots[slot]! >= 0 && !(hashes[slots[slot]!] === hash && equal(slots[slot]!, row)))
          slot = (slot + 1) & mask;
        found[row] = slots[slot]!;
      }
      return found;
    },
  };
}

function equality(a: readonly Column[], b: readonly Column[]): (left: number, right: number) => boolean {
  // There is a column of `b` for each of `a`.
  const comparators = a.map((column, at): Comparator => comparator(column, b[at]!));
  return (left, right) => comparators.every((compare) => compare(left, right) === 0);
}

async function collect(plan: Plan, right: AsyncIterable<Rows>, held: HeldRows): Promise<Rows> {
  const parts: (readonly Column[])[] = [outputTypes(plan).map((type) => nullColumn(type, 0))];
  let length = 0;
  let bytes = 0;
  for await (const rows of right) {
    if (rows.length === 0) continue;
    length += rows.length;
    bytes += rows.columns.reduce((total, column) => total + columnByteLength(column), 0);
    held.checkLookup(length, bytes);
    parts.push(rows.columns);
  }
  const [first = []] = parts;
  // All parts have the columns of the first.
  return { columns: first.map((_, at) => concatColumns(parts.map((part) => part[at]!))), length };
}
