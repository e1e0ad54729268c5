/** The class of a model: how it can be built, why, and where in its file that shows. */
import type { EdgeClass, Plan } from "../../../lakehouse/engine/ir/ir.ts";
import { isRowByRow, partialPlanOf } from "../../../lakehouse/engine/operators/partial-plan.ts";
import type { Clauses } from "./clauses.ts";

/** A class whose place is a byte of the statement; undefined: its beginning. */
export type ClassOfPlan = Pick<EdgeClass, "kind" | "reason"> & { readonly byte: number | undefined };

/** Of a plan without orders that change nothing (`withoutIdleOrders`). */
export function classOf(plan: Plan, clauses: Clauses): ClassOfPlan {
  if (isRowByRow(plan))
    return { kind: "rows", reason: "each row of the input gives its rows by itself", byte: clauses.select };
  if (partialPlanOf(plan) !== undefined) {
    const by = clauses.groupBy === undefined ? "aggregates" : "GROUP BY";
    return clauses.groupBy === undefined && clauses.aggregate === undefined
      ? { kind: "merge", reason: "rows come together in DISTINCT alone, and groups merge", byte: clauses.select }
      : {
          kind: "merge",
          reason: `rows come together in ${by}, whose partial results merge`,
          byte: clauses.groupBy ?? clauses.aggregate,
        };
  }
  const holder = holderOf(plan);
  if (holder === "join" || holder === "scan")
    return { kind: "whole", reason: "rows are joined to groups, or a table to itself", byte: clauses.select };
  return holder === "union"
    ? { kind: "whole", reason: "UNION of rows and groups needs all of them at once", byte: clauses.select }
    : {
        kind: "whole",
        reason: `${holder === "limit" ? "LIMIT" : "ORDER BY"} over rows needs all of them at once`,
        byte: clauses.orderBy ?? clauses.select,
      };
}

/** The operator that keeps a plan from being cut into partial results: the lowest that holds rows and does not merge. */
function holderOf(plan: Plan): Plan["node"] {
  if (plan.node === "scan" || plan.node === "union" || plan.node === "join") return plan.node;
  if (isRowByRow(plan.input)) return plan.node;
  return holderOf(plan.input);
}

/** The plan without every ORDER BY that no LIMIT stands on: a table is a multiset, and its files are in the order of its key. */
export function withoutIdleOrders(plan: Plan): Plan {
  switch (plan.node) {
    case "scan":
      return plan;
    case "order":
      return withoutIdleOrders(plan.input);
    case "union":
      return { ...plan, inputs: plan.inputs.map(withoutIdleOrders) };
    case "join":
      return { ...plan, left: withoutIdleOrders(plan.left), right: withoutIdleOrders(plan.right) };
    case "limit":
      return plan.input.node === "order"
        ? { ...plan, input: { ...plan.input, input: withoutIdleOrders(plan.input.input) } }
        : { ...plan, input: withoutIdleOrders(plan.input) };
    default:
      return { ...plan, input: withoutIdleOrders(plan.input) };
  }
}
