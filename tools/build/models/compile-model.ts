import { planHash } from "../../../lakehouse/builds/models/plan-hash.ts";
import type { Field } from "../../../lakehouse/engine/columns/column.ts";
import { type CompiledModel, IR_VERSION } from "../../../lakehouse/engine/ir/ir.ts";
import { columnTypeOf } from "../../../lakehouse/engine/ir/ir-types.ts";
import { ONLY_PARTITION } from "../../../lakehouse/engine/ir/relation.ts";
import { MAX_GROUPS } from "../../../lakehouse/engine/operators/held-rows.ts";
import { checkModel } from "./check-model.ts";
import { reportAt } from "./decode-context.ts";
import { ROW_NUMBER } from "./decode-plan.ts";
import { scannedTables } from "./lineage.ts";
import { classOf, withoutIdleOrders } from "./model-class.ts";
import { offsetOfByte } from "./model-error.ts";
import { grainOf, inputsOf } from "./model-inputs.ts";
import { planStatement } from "./plan-statement.ts";
import type { PlannerSession, TableSchema } from "./planner-session.ts";
import { pruneColumns } from "./prune-columns.ts";
import type { ReadModel } from "./read-models.ts";

/** Rows that a build holds of a model of class `rows` which names no `max_rows`. */
const MAX_ROWS = 1_000_000;

/** One model, whose inputs are in the session; undefined when it has problems. `models` are the names of all models. */
export async function compileModel(
  { source, name, layer, file, problems }: ReadModel,
  tables: readonly TableSchema[],
  models: readonly string[],
  session: PlannerSession,
): Promise<CompiledModel | undefined> {
  if (file === undefined) return undefined;
  const known = [...new Set([...tables.map((table) => table.name), ...models])];
  const named = known.filter((other) => other !== name).map((other) => ({ name: other }));
  const planned = await planStatement({ ...file, of: "model" }, session, problems, named);
  if (planned === undefined) return undefined;
  const { context, columns, clauses } = planned;
  const plan = withoutIdleOrders(planned.plan);
  const inputs = inputsOf(plan, file, problems);
  const grain = grainOf(inputs, tables, file, problems);
  if (!problems.none || !checkModel({ file, plan, columns, tables, inputs, grain, context })) return undefined;
  const pruned = pruneColumns(plan);
  const scanned = scannedTables(pruned);
  if (scanned.some(({ columns: read }) => read.includes(ROW_NUMBER))) {
    return reportAt(context, undefined, "rowid is no stored column", "use a column of the input");
  }
  const { frontMatter } = file;
  const { kind, reason, byte } = classOf(plan, clauses);
  // DuckDB needs no bound: it spills what it cannot hold.
  if (kind === "whole" && frontMatter.max_rows === undefined && frontMatter.engine !== "native") {
    return reportAt(
      context,
      byte,
      `the model is of class whole: ${reason}`,
      "say how many rows that may be: max_rows: N, or leave it to DuckDB: engine: native",
    );
  }
  const offset = byte === undefined ? Math.max(0, file.sql.search(/\S/)) : offsetOfByte(file.sql, byte);
  const relations = new Map(inputs.map(({ table, relation }) => [table, relation]));
  const meaning = {
    grain,
    partition: frontMatter.partition ?? ONLY_PARTITION.column,
    ...(frontMatter.build_after === undefined ? {} : { buildAfterMs: frontMatter.build_after }),
    inputs: scanned.map((input) => ({ ...input, relation: relations.get(input.table) ?? ({ kind: "same" } as const) })),
    fields: columns.map(
      ({ name: column, type }): Field => ({ name: column, type: columnTypeOf(type), nullable: true }),
    ),
    plan: pruned,
  };
  return {
    irVersion: IR_VERSION,
    generation: planHash(meaning),
    name,
    file: source.path,
    layer,
    engine: frontMatter.engine,
    class: { kind, reason, at: problems.placeOf(file.sqlOffset + offset) },
    description: frontMatter.description,
    sql: await withoutSemicolon(file.sql.trim(), session),
    key: frontMatter.key,
    checks: frontMatter.checks,
    rowLimit: frontMatter.max_rows ?? null,
    maxRows: frontMatter.max_rows ?? (kind === "merge" ? MAX_GROUPS : MAX_ROWS),
    ...meaning,
  };
}

/**
 * The one statement of `sql` without the semicolon that may end it, so that it can stand in another query. DuckDB says where
 * the statement ends: a semicolon in a text or a comment ends none.
 */
async function withoutSemicolon(sql: string, session: PlannerSession): Promise<string> {
  const tree = async (text: string) =>
    JSON.stringify(await session.parse(text), (_key, value: unknown) =>
      typeof value === "bigint" ? String(value) : value,
    );
  const whole = await tree(sql);
  for (let at = sql.indexOf(";"); at >= 0; at = sql.indexOf(";", at + 1)) {
    const statement = sql.slice(0, at).trimEnd();
    if ((await tree(statement)) === whole) return statement;
  }
  return sql;
}
