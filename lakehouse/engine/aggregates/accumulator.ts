import type { Column } from "../columns/column.ts";

/** The state of one aggregate over all groups. Groups are numbered densely from 0. */
export interface Accumulator {
  /**
   * Adds rows: row i goes to group `groups[i]`, unless `keep[i]` is 0. Nulls of the argument are skipped here.
   * `groupCount` is how many groups there are by now.
   */
  update(columns: readonly Column[], groups: Int32Array, keep: Uint8Array | undefined, groupCount: number): void;
  /** The result, one row per group. Throws `ModelValueError` on overflow. */
  finish(groupCount: number): Column;
}

/** `array` with room for `count` values at least; what is there is kept, the rest is 0. */
export function grown<A extends Float64Array | Uint8Array>(array: A, count: number, make: (length: number) => A): A {
  if (array.length >= count) return array;
  const larger = make(Math.max(count, array.length * 2, 16));
  larger.set(array);
  return larger;
}

export const float64s = (length: number): Float64Array<ArrayBuffer> => new Float64Array(length);
