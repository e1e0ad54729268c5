import type { Expression, Plan } from "../../../lakehouse/engine/ir/ir.ts";
import { outputTypes } from "../../../lakehouse/engine/operators/output-types.ts";

/** A column of an input table that an output column is, unchanged; or a word on why it is not one. */
export type Origin = { readonly table: string; readonly column: string } | { readonly computed: string };

/** What the output column `index` is on every way down to a scan: one origin per way. */
export function originsOf(plan: Plan, index: number): readonly Origin[] {
  const through = (input: Plan, expression: Expression | undefined, computed: string): readonly Origin[] =>
    expression?.node === "column" ? originsOf(input, expression.index) : [{ computed }];
  switch (plan.node) {
    case "scan": {
      const column = plan.columns[index];
      return [column === undefined ? { computed: "no column" } : { table: plan.table, column: column.name }];
    }
    case "filter":
    case "distinct":
    case "order":
    case "limit":
      return originsOf(plan.input, index);
    case "project":
      return through(plan.input, plan.expressions[index], "an expression");
    case "aggregate":
      return through(plan.input, plan.groups[index], index < plan.groups.length ? "an expression" : "an aggregate");
    case "union":
      return plan.inputs.flatMap((input) => originsOf(input, index));
    case "join": {
      const width = outputTypes(plan.left).length;
      if (index < width) return originsOf(plan.left, index);
      if (plan.kind === "inner") return originsOf(plan.right, index - width);
      return [{ computed: plan.kind === "mark" ? "an expression" : "NULL where the joined table has no partner" }];
    }
    case "unnest":
      return index < outputTypes(plan.input).length
        ? originsOf(plan.input, index)
        : [{ computed: "an element of a list" }];
  }
}

/** What the output column `index` is computed by on every way down: columns that are passed on are followed to their source. */
export function expressionsOf(plan: Plan, index: number): readonly Expression[] {
  const column: Expression = { node: "column", index, type: outputTypes(plan)[index] ?? { kind: "bool" } };
  const follow = (input: Plan, expression: Expression | undefined): readonly Expression[] =>
    expression?.node === "column" ? expressionsOf(input, expression.index) : [expression ?? column];
  switch (plan.node) {
    case "filter":
    case "distinct":
    case "order":
    case "limit":
      return expressionsOf(plan.input, index);
    case "project":
      return follow(plan.input, plan.expressions[index]);
    case "aggregate":
      return follow(plan.input, plan.groups[index]);
    case "union":
      return plan.inputs.flatMap((input) => expressionsOf(input, index));
    case "join": {
      const width = outputTypes(plan.left).length;
      return index < width ? expressionsOf(plan.left, index) : [column];
    }
    default:
      return [column];
  }
}

/** Columns of an input table that tell its rows apart, over all partitions; undefined where nobody promises any. */
export type KeyOf = (table: string) => readonly string[] | undefined;

/**
 * Output columns that are unique together, when the plan itself says so (a GROUP BY, a DISTINCT) or the key of an input does; `undefined`
 * when they do not.
 */
export function uniqueColumns(plan: Plan, keyOf: KeyOf): readonly number[] | undefined {
  switch (plan.node) {
    case "aggregate":
      return plan.groups.map((_, index) => index);
    case "distinct":
      return outputTypes(plan).map((_, index) => index);
    case "filter":
    case "order":
    case "limit":
      return uniqueColumns(plan.input, keyOf);
    case "project": {
      const below = uniqueColumns(plan.input, keyOf);
      const above = below?.map((index) =>
        plan.expressions.findIndex((expression) => expression.node === "column" && expression.index === index),
      );
      return above?.includes(-1) ? undefined : above;
    }
    case "join":
      return plan.kind === "inner" || plan.kind === "left" ? undefined : uniqueColumns(plan.left, keyOf);
    case "scan": {
      const key = keyOf(plan.table)?.map((column) => plan.columns.findIndex(({ name }) => name === column));
      return key?.includes(-1) ? undefined : key;
    }
    case "union":
    case "unnest":
      return undefined;
  }
}

/** Whether every LIMIT stands on an ORDER BY that leaves no tie: else which rows it keeps is anyone's choice. */
export function limitsAreTotal(plan: Plan, keyOf: KeyOf): boolean {
  switch (plan.node) {
    case "scan":
      return true;
    case "union":
      return plan.inputs.every((input) => limitsAreTotal(input, keyOf));
    case "join":
      return limitsAreTotal(plan.left, keyOf) && limitsAreTotal(plan.right, keyOf);
    case "limit": {
      const { input } = plan;
      if (input.node !== "order") return false;
      const ordered = new Set(input.by.map(({ expression }) => (expression.node === "column" ? expression.index : -1)));
      const isTotal = (columns: readonly number[]) => columns.every((index) => ordered.has(index));
      const unique = uniqueColumns(input, keyOf);
      return (
        ((unique !== undefined && isTotal(unique)) || isTotal(outputTypes(input).map((_, index) => index))) &&
        limitsAreTotal(input, keyOf)
      );
    }
    default:
      return limitsAreTotal(plan.input, keyOf);
  }
}

/** Whether a plan holds a node of this kind. */
export function holdsNode(plan: Plan, node: Plan["node"]): boolean {
  if (plan.node === node) return true;
  if (plan.node === "scan") return false;
  if (plan.node === "join") return holdsNode(plan.left, node) || holdsNode(plan.right, node);
  return plan.node === "union" ? plan.inputs.some((input) => holdsNode(input, node)) : holdsNode(plan.input, node);
}

/** The scanned tables with their columns; a table read more than once is listed once. Sorted, so that the text is stable. */
export function scannedTables(plan: Plan): readonly { readonly table: string; readonly columns: readonly string[] }[] {
  const tables = new Map<string, Set<string>>();
  const visit = (node: Plan): void => {
    if (node.node === "scan") {
      const columns = tables.get(node.table) ?? new Set();
      for (const { name } of node.columns) columns.add(name);
      tables.set(node.table, columns);
    } else if (node.node === "union") node.inputs.forEach(visit);
    else if (node.node === "join") [node.left, node.right].forEach(visit);
    else visit(node.input);
  };
  visit(plan);
  return [...tables]
    .map(([table, columns]) => ({ table, columns: [...columns].sort() }))
    .sort((a, b) => (a.table < b.table ? -1 : 1));
}
