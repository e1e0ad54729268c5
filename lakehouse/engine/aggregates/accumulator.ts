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
  /** Adds a part of a saved state, whose group i is group `groups[i]` here. */
  merge(state: readonly Column[], groups: Int32Array, groupCount: number): void;
  /**
   * The state of the groups [from, to), but for `pairs`, as columns that `merge` loads. They may be views of arrays that a later
   * `update` or `merge` writes to or frees, and have lengths of their own. Called for all groups, part by part.
   */
  save(from: number, to: number): readonly Column[];
  /** For aggregates of DISTINCT values, which hold any number of them for a group. */
  readonly pairs?: HeldPairs;
  /** The result, one row per group. Throws `ModelValueError` on overflow. */
  finish(groupCount: number): Column;
  /** Bytes that the state takes. */
  readonly byteLength: number;
  /** Frees the state: the last call. */
  release(): void;
}

/** Pairs of a group and one of its values. */
export interface HeldPairs {
  /** The pairs, some megabyte at a time, as `save` of the accumulator gives its columns. */
  save(): Iterable<readonly Column[]>;
  /** Adds a saved portion, in which group i is group `groups[i]` here. */
  merge(portion: readonly Column[], groups: Int32Array, groupCount: number): void;
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
