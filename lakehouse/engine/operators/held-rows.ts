import type { AccumulatorBounds } from "../aggregates/accumulator.ts";
import { ModelTooLargeError } from "../ir/errors.ts";

/** Groups that a partial result holds at the most: at some 60 to 600 bytes each they fit an isolate beside the rest of a build. */
export const MAX_GROUPS = 100_000;
/** Distinct values that the aggregates of one model hold at the most: 24 MB. */
export const MAX_DISTINCT = 1_000_000;

/** What the right side of a join may hold: with its index some 10 MB. */
export const MAX_LOOKUP = { rows: 100_000, bytes: 8 * 2 ** 20 };

/** The bound on what operators may hold in memory. Its methods throw `ModelTooLargeError` past it. */
export interface HeldRows extends AccumulatorBounds {
  /** So many distinct rows, rows to sort, or rows of the result. */
  check(rows: number): void;
  /** So many groups of one aggregation. */
  checkGroups(groups: number): void;
  /** So many rows and bytes of the right side of a join. */
  checkLookup(rows: number, bytes: number): void;
}

/** `name` of a model or check. Groups are bounded by `maxRows` as well, where `maxGroups` is not less. */
export function createHeldRows(name: string, maxRows: number, maxGroups = maxRows): HeldRows {
  let distinct = 0;
  const check = (rows: number) => {
    if (rows <= maxRows) return;
    throw new ModelTooLargeError(
      `model ${name} holds more than its max_rows of ${maxRows} rows`,
      maxRows,
      "raise max_rows if an isolate of 128 MB has room for them, or let the model keep fewer rows",
    );
  };
  return {
    check,
    checkGroups(groups) {
      check(groups);
      if (groups <= maxGroups) return;
      throw new ModelTooLargeError(
        `model ${name} has more than ${maxGroups} groups in one partition`,
        maxGroups,
        "group by fewer columns or by coarser values, such as a prefix or a bucket of the key; so many wait for the native builder of a later release",
      );
    },
    checkLookup(rows, bytes) {
      if (rows <= MAX_LOOKUP.rows && bytes <= MAX_LOOKUP.bytes) return;
      throw new ModelTooLargeError(
        `model ${name} joins a right side of more than ${MAX_LOOKUP.rows} rows or ${MAX_LOOKUP.bytes} bytes`,
        rows > MAX_LOOKUP.rows ? MAX_LOOKUP.rows : MAX_LOOKUP.bytes,
        "put the smaller table at the right, and filter it or take fewer of its columns in a subquery",
      );
    },
    addDistinct(values) {
      distinct += values;
      if (distinct <= MAX_DISTINCT) return;
      throw new ModelTooLargeError(
        `model ${name} counts more than ${MAX_DISTINCT} distinct values in one partition`,
        MAX_DISTINCT,
        "count the values of a coarser column, or those that a FILTER (WHERE ...) lets through; so many wait for the native builder of a later release",
      );
    },
  };
}
