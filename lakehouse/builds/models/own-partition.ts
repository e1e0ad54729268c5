/** A model's plan narrowed to the rows of one of its partitions. */
import type { EdgeModel, Expression, Plan } from "../../engine/ir/ir.ts";
import { isPartitionOf } from "../../engine/ir/relation.ts";
import { outputTypes } from "../../engine/operators/output-types.ts";

const DAY_MS = 86_400_000;

/**
 * The plan of a build of the partition `date`. A model that reads its inputs by the same date gives the rows of that date by
 * itself; one that reads other dates too (a window, a month) makes rows of its neighbours beside, which are left out as near
 * to the scans as the plan allows: groups of other partitions are never made. A partition from when the model had another grain has no
 * rows any more: all rows are in those of today.
 */
export function planOfPartition(
  model: Pick<EdgeModel, "plan" | "grain" | "inputs" | "fields" | "partition">,
  date: string,
): Plan {
  const { plan, grain, inputs, fields, partition } = model;
  if (!isPartitionOf(grain, date)) return { node: "filter", input: plan, conditions: [NEVER] };
  if (grain === "one" || !readsOtherDates({ inputs })) return plan;
  const index = fields.findIndex(({ name }) => name === partition);
  return narrowed(plan, index, Date.parse(`${date}T00:00:00Z`) / DAY_MS);
}

/** Whether the model makes rows of other partitions beside those of its own. */
export function readsOtherDates({ inputs }: Pick<EdgeModel, "inputs">): boolean {
  return inputs.some(({ relation: { kind } }) => kind === "last" || kind === "next" || kind === "within");
}

const NEVER: Expression = { node: "constant", value: false, type: { kind: "bool" } };

/** The rows of the plan whose column `index` is the day. */
function narrowed(plan: Plan, index: number, day: number): Plan {
  switch (plan.node) {
    case "filter":
    case "distinct":
    case "order":
      return { ...plan, input: narrowed(plan.input, index, day) };
    case "union":
      return { ...plan, inputs: plan.inputs.map((input) => narrowed(input, index, day)) };
    case "project": {
      const expression = plan.expressions[index];
      return expression === undefined ? plan : { ...plan, input: narrowedBy(plan.input, expression, day) };
    }
    case "aggregate": {
      const group = plan.groups[index];
      return group === undefined ? filtered(plan, index, day) : { ...plan, input: narrowedBy(plan.input, group, day) };
    }
    case "join":
      return index < outputTypes(plan.left).length
        ? { ...plan, left: narrowed(plan.left, index, day) }
        : filtered(plan, index, day);
    default:
      return filtered(plan, index, day);
  }
}

/** The rows of the plan for which the expression over its columns is the day. */
function narrowedBy(plan: Plan, expression: Expression, day: number): Plan {
  return expression.node === "column"
    ? narrowed(plan, expression.index, day)
    : { node: "filter", input: plan, conditions: [isDay(expression, day)] };
}

function filtered(plan: Plan, index: number, day: number): Plan {
  const column: Expression = { node: "column", index, type: { kind: "date" } };
  return { node: "filter", input: plan, conditions: [isDay(column, day)] };
}

function isDay(expression: Expression, day: number): Expression {
  const value: Expression = { node: "constant", value: day, type: { kind: "date" } };
  return { node: "call", name: "=", args: [expression, value], type: { kind: "bool" } };
}
