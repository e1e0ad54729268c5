/** Numbers for tuples of values that are equal exactly when the values are: what groups, keys and distinct counts stand on. */
import type { Column } from "./column.ts";
import { createValueStore } from "./create-value-store.ts";
import { grown, int32s } from "./growth.ts";
import { release } from "./release.ts";
import { rowHashes } from "./row-hash.ts";
import type { ValueStore } from "./value-store.ts";

/**
 * Numbers the distinct tuples of columns densely, about in the order of first appearance. Exact: values are compared, never only
 * hashed. NULL equals NULL, NaN equals NaN, -0 equals 0, as in SQL's GROUP BY.
 *
 * An open-addressing table of numbers over typed stores of the values: 4 to 8 bytes a slot and 4 a hash beside the values
 * themselves.
 */
export interface TupleIndex {
  /** How many distinct tuples there are so far. */
  readonly count: number;
  /** The number of each row's tuple, and the rows at which a tuple appeared for the first time, in the order of their numbers. */
  assign(columns: readonly Column[], length: number): { readonly groups: Int32Array; readonly fresh: Int32Array };
  /** The tuples [from, to) by number, all if not given, a column per part, copied; none before the first batch, whose types are then unknown. */
  tuples(from?: number, to?: number): readonly Column[];
  /** Bytes that the table holds. */
  readonly byteLength: number;
  /** Frees the arrays: the last call. */
  release(): void;
}

const FIRST_SLOTS = 64;

export function createTupleIndex(width: number): TupleIndex {
  let stores: readonly ValueStore[] = [];
  // A slot holds a tuple's number + 1, or 0. There are a power of two of them, at most three quarters in use.
  let slots = int32s(FIRST_SLOTS);
  let hashes = int32s(0);
  let count = 0;

  const enlarge = () => {
    const larger = slots.length * 2;
    // It is filled by the hashes: the old one goes first.
    release(slots);
    slots = int32s(larger);
    const mask = slots.length - 1;
    for (let number = 0; number < count; number++) {
      let slot = hashes[number]! & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = number + 1;
    }
  };

  /** Gives the row the next number, in the free slot that the search for its hash ended at. */
  const insert = (row: number, hash: number, columns: readonly Column[], slot: number): number => {
    for (const [at, store] of stores.entries()) {
      if (isNull(columns, at, row)) store.extend(count + 1);
      else store.push(row);
    }
    hashes = grown(hashes, count + 1, int32s);
    hashes[count] = hash;
    count++;
    slots[slot] = count;
    if (count * 4 > slots.length * 3) enlarge();
    return count - 1;
  };

  /** The number of a row by its values. Where the table has another tuple of the same hash first, this one stands behind it. */
  const numberOf = (row: number, hash: number, columns: readonly Column[]): number => {
    let slot = hash & (slots.length - 1);
    for (let number = slots[slot]!; number !== 0; number = slots[slot]!) {
      if (
        hashes[number - 1] === hash &&
        stores.every((store, at) => store.holds(number - 1, row, isNull(columns, at, row)))
      )
        return number - 1;
      slot = (slot + 1) & (slots.length - 1);
    }
    return insert(row, hash, columns, slot);
  };

  return {
    get count() {
      return count;
    },
    get byteLength() {
      return stores.reduce((total, store) => total + store.byteLength, slots.byteLength + hashes.byteLength);
    },
    release() {
      release(slots);
      release(hashes);
      for (const store of stores) store.release();
    },
    tuples: (from = 0, to = count) => stores.map((store) => store.finish(from, to)),
    assign(columns, length) {
      const groups = int32s(length);
      const fresh: number[] = [];
      if (count === 0 && stores.length < width) {
        // There is a column per part of the tuple.
        stores = Array.from({ length: width }, (_, at) => createValueStore(columns[at]!.type));
      }
      for (const [at, store] of stores.entries()) store.open(columns[at]!);
      const rows = rowHashes(columns.slice(0, width), length);
      // First by the hash alone; what the loop reads is in variables of its own, since those of the closure cost a load each.
      let table = slots;
      let known = hashes;
      for (let row = 0; row < length; row++) {
        const hash = rows[row]!;
        const mask = table.length - 1;
        let slot = hash & mask;
        let number = table[slot]!;
        while (number !== 0 && known[number - 1] !== hash) {
          slot = (slot + 1) & mask;
          number = table[slot]!;
        }
        if (number !== 0) {
          groups[row] = number - 1;
          continue;
        }
        fresh.push(row);
        groups[row] = insert(row, hash, columns, slot);
        table = slots;
        known = hashes;
      }
      // Then, column by column, whether the values are the tuple's. Two tuples of one hash are rare.
      for (const [at, store] of stores.entries()) {
        for (const row of store.differing(groups, columns[at]!.nulls)) {
          const before = count;
          groups[row] = numberOf(row, rows[row]!, columns);
          if (count > before) fresh.push(row);
        }
      }
      return { groups, fresh: Int32Array.from(fresh) };
    },
  };
}

function isNull(columns: readonly Column[], at: number, row: number): boolean {
  return columns[at]!.nulls?.[row] === 1;
}
