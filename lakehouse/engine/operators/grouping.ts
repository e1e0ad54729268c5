import type { Accumulator } from "../aggregates/accumulator.ts";
import { bindAggregate } from "../aggregates/aggregates.ts";
import type { PartialGroups } from "../aggregates/partial-groups.ts";
import type { Column } from "../columns/column.ts";
import { int32s } from "../columns/growth.ts";
import { createTupleIndex } from "../columns/tuple-index.ts";
import { nullColumn } from "../expressions/casts.ts";
import { prepare, prepareCondition } from "../expressions/prepare.ts";
import { isUnsupported, type Rows } from "../expressions/vector.ts";
import { ModelMismatchError, PartialFormatError } from "../ir/errors.ts";
import type { Aggregate, Plan } from "../ir/ir.ts";
import type { HeldRows } from "./held-rows.ts";
import { outputTypes } from "./output-types.ts";

export type GroupingPlan = Extract<Plan, { node: "aggregate" }>;

/** DISTINCT is a grouping by all columns, without aggregates. */
export function distinctAsGrouping(plan: Extract<Plan, { node: "distinct" }>): GroupingPlan {
  const groups = outputTypes(plan.input).map((type, index) => ({ node: "column" as const, index, type }));
  return { node: "aggregate", input: plan.input, groups, aggregates: [] };
}

/** Hash aggregation over any number of batches and of partial results of other runs, in any order. */
export interface Grouping {
  add(rows: Rows): void;
  merge(partial: PartialGroups): void;
  /** The state. Its columns may be views of arrays that a later `add` or `merge` writes to. */
  save(): PartialGroups;
  /** The groups' columns, then the aggregates'. Without group columns there is one row, even of nothing. */
  finish(): Rows;
  /** Bytes that groups and states take. */
  readonly byteLength: number;
}

/** Throws `ModelTooLargeError` by `held`, and `ModelMismatchError` when this code lacks one of the aggregates. */
export function createGrouping(plan: GroupingPlan, held: HeldRows): Grouping {
  const keys = plan.groups.map(prepare);
  const running = plan.aggregates.map((aggregate) => runAggregate(aggregate, held));
  const index = createTupleIndex(keys.length);
  let groupCount = keys.length === 0 ? 1 : 0;

  const assign = (columns: readonly Column[], length: number): Int32Array => {
    if (keys.length === 0) return int32s(length);
    const { groups } = index.assign(columns, length);
    groupCount = index.count;
    held.checkGroups(groupCount);
    return groups;
  };
  const keyColumns = () => (index.count === 0 ? plan.groups.map(({ type }) => nullColumn(type, 0)) : index.tuples());

  return {
    add(rows) {
      if (rows.length === 0) return;
      const groups = assign(
        keys.map((key) => key(rows)),
        rows.length,
      );
      for (const aggregate of running) aggregate.add(rows, groups, groupCount);
    },
    merge(partial) {
      if (partial.keys.length !== keys.length || partial.states.length !== running.length) {
        throw new PartialFormatError("a partial result is of another aggregation");
      }
      const groups = assign(partial.keys, partial.groups);
      for (const [at, { accumulator }] of running.entries()) {
        // There is a state per aggregate.
        accumulator.merge(partial.states[at]!, groups, groupCount);
      }
    },
    save: () => ({
      groups: groupCount,
      keys: keyColumns(),
      states: running.map(({ accumulator }) => accumulator.save(groupCount)),
    }),
    finish: () => ({
      columns: [...keyColumns(), ...running.map(({ accumulator }) => accumulator.finish(groupCount))],
      length: groupCount,
    }),
    get byteLength() {
      return running.reduce((total, { accumulator }) => total + accumulator.byteLength, index.byteLength);
    },
  };
}

function runAggregate(aggregate: Aggregate, held: HeldRows) {
  const { name, type, distinct } = aggregate;
  const bound = bindAggregate(
    name,
    aggregate.args.map((arg) => arg.type),
    type,
    distinct,
    aggregate.order,
  );
  if (isUnsupported(bound)) throw new ModelMismatchError(`the model does not fit this version: ${bound.unsupported}`);
  const accumulator: Accumulator = bound(held);
  const args = aggregate.args.map(prepare);
  const condition = aggregate.filter === null ? undefined : prepareCondition(aggregate.filter);
  return {
    accumulator,
    add(rows: Rows, groups: Int32Array, groupCount: number): void {
      const columns = args.map((arg) => arg(rows));
      accumulator.update(columns, condition === undefined ? groups : chosen(groups, condition(rows)), groupCount);
    },
  };
}

/** The groups of the chosen rows; -1 for the others. */
function chosen(groups: Int32Array, rows: Int32Array): Int32Array {
  const kept = int32s(groups.length).fill(-1);
  // Rows run over `groups`.
  for (const row of rows) kept[row] = groups[row]!;
  return kept;
}
