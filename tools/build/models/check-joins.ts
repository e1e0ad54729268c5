import type { Expression, ModelInput, Plan } from "../../../lakehouse/engine/ir/ir.ts";
import { type DecodeContext, reportAt } from "./decode-context.ts";
import { originsOf, scannedTables } from "./lineage.ts";
import type { TableSchema } from "./planner-session.ts";

type JoinPlan = Extract<Plan, { node: "join" }>;

/**
 * Inputs that are read by the same date have one partition each in a build. That gives the pairs of the SELECT over the whole
 * tables only when rows of different partitions are no pair: the join has to compare the partition columns.
 */
export function checkJoins(
  plan: Plan,
  tables: readonly TableSchema[],
  inputs: readonly ModelInput[],
  context: DecodeContext,
): void {
  const isBySameDate = (side: Plan) =>
    scannedTables(side).every(({ table }) => inputs.find((input) => input.table === table)?.relation.kind === "same");
  for (const join of joinsOf(plan)) {
    if (!isBySameDate(join.left) || !isBySameDate(join.right) || comparesPartitions(join, tables)) continue;
    const [lookup] = scannedTables(join.right);
    const partition = tables.find(({ name }) => name === lookup?.table)?.partition ?? "the partition column";
    const isOwn = scannedTables(join.left).some(({ table }) => table === lookup?.table);
    const asWhole = isOwn || lookup === undefined ? "" : `, or read it as a whole: inputs: { ${lookup.table}: latest }`;
    reportAt(
      context,
      context.source.first("JOIN") ?? context.source.first("SUBQUERY"),
      `the join with ${lookup?.table ?? "the right side"} pairs rows of different partitions, which are built apart`,
      `compare the partition columns too, as in ON ... AND a.${partition} = b.${partition}${asWhole}`,
    );
  }
}

function joinsOf(plan: Plan): readonly JoinPlan[] {
  switch (plan.node) {
    case "scan":
      return [];
    case "union":
      return plan.inputs.flatMap(joinsOf);
    case "join":
      return [plan, ...joinsOf(plan.left), ...joinsOf(plan.right)];
    default:
      return joinsOf(plan.input);
  }
}

function comparesPartitions(join: JoinPlan, tables: readonly TableSchema[]): boolean {
  return join.keys.some(
    (key) => isPartition(join.left, key.left, tables) && isPartition(join.right, key.right, tables),
  );
}

function isPartition(plan: Plan, key: Expression, tables: readonly TableSchema[]): boolean {
  if (key.node !== "column") return false;
  return originsOf(plan, key.index).every(
    (origin) =>
      !("computed" in origin) && tables.find(({ name }) => name === origin.table)?.partition === origin.column,
  );
}
