import { sliceColumn } from "../columns/gather.ts";
import { prepare, prepareCondition } from "../expressions/prepare.ts";
import { selectRows } from "../expressions/row-selection.ts";
import type { Rows } from "../expressions/vector.ts";
import type { IrField, Plan } from "../ir/ir.ts";
import { createGrouping, distinctAsGrouping } from "./grouping.ts";
import type { HeldRows } from "./held-rows.ts";
import { joinRows } from "./join.ts";
import { collectRows, reorderRows, sortedOrder } from "./sort.ts";
import { unnestRows } from "./unnest.ts";

/** What running a plan needs from outside: the scans, and the bound on held rows. */
export interface Execution {
  scan(table: string, columns: readonly IrField[]): AsyncIterable<Rows>;
  readonly held: HeldRows;
}

type Node<N extends Plan["node"]> = Extract<Plan, { node: N }>;

/**
 * The rows of a plan, batch by batch: scan, filter, project, unnest and union hold one batch at a time, aggregate and
 * distinct their groups, a join its right side, order everything (each within `held`).
 */
export function execute(plan: Plan, execution: Execution): AsyncIterable<Rows> {
  switch (plan.node) {
    case "scan":
      return execution.scan(plan.table, plan.columns);
    case "filter":
      return filterRows(plan, execute(plan.input, execution));
    case "project":
      return projectRows(plan, execute(plan.input, execution));
    case "aggregate":
      return aggregateRows(plan, execute(plan.input, execution), execution.held);
    case "distinct":
      return aggregateRows(distinctAsGrouping(plan), execute(plan.input, execution), execution.held);
    case "order":
      return orderRows(plan, execute(plan.input, execution), execution.held, Number.POSITIVE_INFINITY);
    case "limit":
      return limitRows(plan, firstOf(plan, execution));
    case "union":
      return unionRows(plan.inputs.map((input) => execute(input, execution)));
    case "unnest":
      return unnestRows(plan, execute(plan.input, execution));
    case "join":
      return joinRows(plan, execute(plan.left, execution), execute(plan.right, execution), execution.held);
  }
}

/** Conditions are asked one after another, each only of the rows that the former let through. */
async function* filterRows(plan: Node<"filter">, input: AsyncIterable<Rows>): AsyncIterable<Rows> {
  const conditions = plan.conditions.map(prepareCondition);
  for await (const batch of input) {
    let rows = batch;
    const all = new Set(rows.columns.keys());
    for (const condition of conditions) {
      if (rows.length === 0) break;
      rows = selectRows(rows, condition(rows), all);
    }
    if (rows.length > 0) yield rows;
  }
}

async function* projectRows(plan: Node<"project">, input: AsyncIterable<Rows>): AsyncIterable<Rows> {
  const evaluators = plan.expressions.map(prepare);
  for await (const rows of input) {
    yield { columns: evaluators.map((evaluate) => evaluate(rows)), length: rows.length };
  }
}

async function* aggregateRows(
  plan: Node<"aggregate">,
  input: AsyncIterable<Rows>,
  held: HeldRows,
): AsyncIterable<Rows> {
  const grouping = createGrouping(plan, held);
  for await (const rows of input) grouping.add(rows);
  yield grouping.finish();
}

/** The input of a LIMIT: where that is in an order, only the rows that it may let through are held. */
function firstOf({ input, limit, offset }: Node<"limit">, execution: Execution): AsyncIterable<Rows> {
  if (input.node !== "order" || limit === null) return execute(input, execution);
  return orderRows(input, execute(input.input, execution), execution.held, offset + limit);
}

/** The first `most` rows in their order. */
async function* orderRows(
  plan: Node<"order">,
  input: AsyncIterable<Rows>,
  held: HeldRows,
  most: number,
): AsyncIterable<Rows> {
  const keys = plan.by.map((key) => ({ ...key, evaluate: prepare(key.expression) }));
  const sorted = (rows: Rows): Rows => {
    const by = keys.map(({ evaluate, descending, nullsFirst }) => ({ column: evaluate(rows), descending, nullsFirst }));
    return reorderRows(rows, sortedOrder(by, rows.length).subarray(0, most));
  };
  // Rows that tie keep their order, since those that were kept stand before those that follow.
  const past = Math.max(most, Math.min(most + PRUNED_ROWS, held.maxRows));
  const rows = await collectRows(input, held, { past, prune: sorted });
  if (rows !== undefined) yield sorted(rows);
}

/** So many rows more than are wanted are sorted to drop them. */
const PRUNED_ROWS = 65_536;

async function* limitRows(plan: Node<"limit">, input: AsyncIterable<Rows>): AsyncIterable<Rows> {
  let skip = plan.offset;
  let left = plan.limit ?? Number.POSITIVE_INFINITY;
  if (left <= 0) return;
  for await (const rows of input) {
    const start = Math.min(skip, rows.length);
    const end = Math.min(rows.length, start + left);
    skip -= start;
    left -= end - start;
    if (end > start) {
      yield { columns: rows.columns.map((column) => sliceColumn(column, start, end)), length: end - start };
    }
    if (left <= 0) return;
  }
}

async function* unionRows(inputs: readonly AsyncIterable<Rows>[]): AsyncIterable<Rows> {
  for (const input of inputs) yield* input;
}
