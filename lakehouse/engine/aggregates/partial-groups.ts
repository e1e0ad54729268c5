import type { Column } from "../columns/column.ts";

/**
 * A part of the state of an aggregation: some of its groups, or values that aggregates hold of them. Parts are small, so that
 * saving and loading a state takes little beside it.
 */
export type PartialPart = PartialGroups | PartialPairs;

/** Groups that follow those of the parts before, a row each, but for the states of aggregates, which have lengths of their own. */
export interface PartialGroups {
  readonly kind: "groups";
  readonly groups: number;
  /** The group columns' values. */
  readonly keys: readonly Column[];
  /** The saved states of the aggregates, in the plan's order (`Accumulator.save`). */
  readonly states: readonly (readonly Column[])[];
}

/** Distinct values that an aggregate holds, with the numbers of their groups, all of which stand in parts before (`HeldPairs`). */
export interface PartialPairs {
  readonly kind: "pairs";
  /** The aggregate's place in the plan. */
  readonly aggregate: number;
  readonly portion: readonly Column[];
}
