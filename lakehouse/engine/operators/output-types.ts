import type { IrType, Plan } from "../ir/ir.ts";

/** The types of a plan's output columns, in order. */
export function outputTypes(plan: Plan): readonly IrType[] {
  switch (plan.node) {
    case "scan":
      return plan.columns.map((column) => column.type);
    case "filter":
    case "distinct":
    case "order":
    case "limit":
      return outputTypes(plan.input);
    case "project":
      return plan.expressions.map((expression) => expression.type);
    case "aggregate":
      return [...plan.groups, ...plan.aggregates].map(({ type }) => type);
    case "union": {
      const [first] = plan.inputs;
      return first === undefined ? [] : outputTypes(first);
    }
    case "join": {
      const left = outputTypes(plan.left);
      if (plan.kind === "mark") return [...left, { kind: "bool" }];
      return plan.kind === "inner" || plan.kind === "left" ? [...left, ...outputTypes(plan.right)] : left;
    }
    case "unnest": {
      const { type } = plan.list;
      return [...outputTypes(plan.input), ...(type.kind === "list" ? [type.item] : [])];
    }
  }
}
