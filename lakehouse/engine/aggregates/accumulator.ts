import type { Column } from "../columns/column.ts";

/**
 * The state of one aggregate over all groups, which are numbered densely from 0. States of parts of the rows merge to the
 * state of all of them, whatever the parts and their order: the results are equal bit for bit.
 */
export interface Accumulator {
  /**
   * Adds rows: row i goes to group `groups[i]`, unless that is negative. Nulls of the argument are skipped here.
   * `groupCount` is how many groups there are by now. Takes the time of the rows, not of the groups.
   */
  update(columns: readonly Column[], groups: Int32Array, groupCount: number): void;
  /** Adds a saved state, whose group i is group `groups[i]` here. */
  merge(state: readonly Column[], groups: Int32Array, groupCount: number): void;
  /**
   * The state as columns, which `merge` of a fresh accumulator loads. They may be views of arrays that a later `update` or
   * `merge` writes to, and have lengths of their own.
   */
  save(groupCount: number): readonly Column[];
  /** The result, one row per group. Throws `ModelValueError` on overflow. */
  finish(groupCount: number): Column;
  /** Bytes that the state takes. */
  readonly byteLength: number;
}

/** What accumulators ask before they hold more. */
export interface AccumulatorBounds {
  /** Notes so many more distinct values. Throws `ModelTooLargeError` when the aggregates of a model together pass the bound. */
  addDistinct(values: number): void;
}

/** `groups`, with -1 for the rows that are null. */
export function groupsOf(column: Column, groups: Int32Array): Int32Array {
  const { nulls } = column;
  if (nulls === undefined) return groups;
  const kept = groups.slice();
  for (let row = 0; row < kept.length; row++) if (nulls[row] === 1) kept[row] = -1;
  return kept;
}
