import type { AccumulatorBounds } from "../aggregates/accumulator.ts";
import { ModelTooLargeError } from "../ir/errors.ts";

/** Groups that a partial result holds at the most. */
export const MAX_GROUPS = 100_000;
/** Distinct values that the aggregates of one model hold at the most: 25 MB. */
export const MAX_DISTINCT = 1_000_000;
/** What groups, aggregates and rows of one run take at the most: an isolate has room for it beside the rest of a build. */
export const MAX_HELD_BYTES = 28 * 2 ** 20;

/** What the right side of a join may hold: with its index some 10 MB. */
export const MAX_LOOKUP = { rows: 100_000, bytes: 8 * 2 ** 20 };

/** What takes the bytes that an operator holds, and what to do about it. */
export interface HeldUse {
  readonly what: string;
  readonly remedy: string;
}

/** The bound on what operators may hold in memory. Its methods throw `ModelTooLargeError` past it. */
export interface HeldRows extends AccumulatorBounds {
  /** Rows that `check` lets through. */
  readonly maxRows: number;
  /** So many distinct rows, rows to sort, or rows of the result. */
  check(rows: number): void;
  /** So many groups of one aggregation. */
  checkGroups(groups: number): void;
  /** So many rows and bytes of the right side of a join. */
  checkLookup(rows: number, bytes: number): void;
  /** For an operator, to tell how many bytes it holds by now; all operators of the run have `MAX_HELD_BYTES` together. */
  account(): (bytes: number, use: () => HeldUse) => void;
}

export interface HeldBounds {
  readonly kind: "model" | "check";
  readonly name: string;
  readonly maxRows: number;
  /** Groups are bounded by `maxRows` as well, where this is not less. */
  readonly maxGroups?: number;
}

/** A check has no `max_rows` to raise, and a better way to find repeated keys. */
const CHECK_REMEDY =
  "count repeated keys with the metric duplicateValues, which takes any number of rows; or let the query group by fewer or coarser values, or look at fewer rows";

export function createHeldRows({ kind, name, maxRows, maxGroups = maxRows }: HeldBounds): HeldRows {
  let distinct = 0;
  let held = 0;
  const tooLarge = (problem: string, bound: number, remedy: string) =>
    new ModelTooLargeError(`${kind} ${name} ${problem}`, bound, kind === "check" ? CHECK_REMEDY : remedy);
  const check = (rows: number) => {
    if (rows <= maxRows) return;
    throw tooLarge(
      kind === "check" ? `holds more than ${maxRows} rows` : `holds more than its max_rows of ${maxRows} rows`,
      maxRows,
      "raise max_rows if an isolate of 128 MB has room for them, or let the model keep fewer rows",
    );
  };
  return {
    maxRows,
    check,
    checkGroups(groups) {
      check(groups);
      if (groups <= maxGroups) return;
      throw tooLarge(
        `has more than ${maxGroups} groups in one partition`,
        maxGroups,
        "group by fewer columns or by coarser values, such as a prefix or a bucket of the key; a native builder has room for so many (docs/models.md)",
      );
    },
    checkLookup(rows, bytes) {
      if (rows <= MAX_LOOKUP.rows && bytes <= MAX_LOOKUP.bytes) return;
      throw tooLarge(
        `joins a right side of more than ${MAX_LOOKUP.rows} rows or ${MAX_LOOKUP.bytes} bytes`,
        rows > MAX_LOOKUP.rows ? MAX_LOOKUP.rows : MAX_LOOKUP.bytes,
        "put the smaller table at the right, and filter it or take fewer of its columns in a subquery",
      );
    },
    addDistinct(values) {
      distinct += values;
      if (distinct <= MAX_DISTINCT) return;
      throw tooLarge(
        `counts more than ${MAX_DISTINCT} distinct values in one partition`,
        MAX_DISTINCT,
        "count the values of a coarser column, or those that a FILTER (WHERE ...) lets through; a native builder has room for so many (docs/models.md)",
      );
    },
    account() {
      let own = 0;
      return (bytes, use) => {
        held += bytes - own;
        own = bytes;
        if (held <= MAX_HELD_BYTES) return;
        const { what, remedy } = use();
        throw tooLarge(
          `holds more than ${MAX_HELD_BYTES} bytes in one partition: ${what}`,
          MAX_HELD_BYTES,
          `${remedy}; a native builder has room for so much (docs/models.md)`,
        );
      };
    },
  };
}
