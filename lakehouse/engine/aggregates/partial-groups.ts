import type { Column } from "../columns/column.ts";

/** The state of an aggregation as columns: a row per group, but for the states of aggregates, which have lengths of their own. */
export interface PartialGroups {
  readonly groups: number;
  /** The group columns' values. */
  readonly keys: readonly Column[];
  /** The saved states of the aggregates, in the plan's order (`Accumulator.save`). */
  readonly states: readonly (readonly Column[])[];
}
