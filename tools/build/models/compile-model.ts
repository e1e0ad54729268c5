import { planHash } from "../../../lakehouse/builds/models/plan-hash.ts";
import type { Field } from "../../../lakehouse/engine/columns/column.ts";
import { type CompiledModel, IR_VERSION } from "../../../lakehouse/engine/ir/ir.ts";
import { columnTypeOf } from "../../../lakehouse/engine/ir/ir-types.ts";
import { ONLY_PARTITION } from "../../../lakehouse/engine/ir/relation.ts";
import { MAX_GROUPS } from "../../../lakehouse/engine/operators/held-rows.ts";
import { checkModel } from "./check-model.ts";
import { placeAt, reportAt } from "./decode-context.ts";
import { ROW_NUMBER } from "./decode-plan.ts";
import type { ModelFile } from "./front-matter.ts";
import { scannedTables } from "./lineage.ts";
import { classOf, withoutIdleOrders } from "./model-class.ts";
import { grainOf, inputsOf } from "./model-inputs.ts";
import { readNative } from "./native/model.ts";
import { type EdgeStatement, planStatement, understood } from "./plan-statement.ts";
import type { PlannerSession, TableSchema } from "./planner-session.ts";
import { pruneColumns } from "./prune-columns.ts";
import type { ReadModel } from "./read-models.ts";

/** Rows that a build holds of a model of class `rows` which names no `max_rows`. */
const MAX_ROWS = 1_000_000;

/** One model, whose inputs are in the session; undefined when it has problems. `models` are the names of all models. */
export async function compileModel(
  read: ReadModel,
  tables: readonly TableSchema[],
  models: readonly string[],
  session: PlannerSession,
): Promise<CompiledModel | undefined> {
  const { name, file, problems } = read;
  if (file === undefined) return undefined;
  const known = [...new Set([...tables.map((table) => table.name), ...models])];
  const named = known.filter((other) => other !== name).map((other) => ({ name: other }));
  const planned = await planStatement({ ...file, of: "model" }, session, problems, named);
  if (planned === undefined) return undefined;
  const described = {
    name,
    file: read.source.path,
    layer: read.layer,
    description: file.frontMatter.description,
    engine: file.frontMatter.engine,
    sql: await session.withoutSemicolon(file.sql.trim()),
    key: file.frontMatter.key,
    checks: file.frontMatter.checks,
    rowLimit: file.frontMatter.max_rows ?? null,
    ...(file.frontMatter.build_after === undefined ? {} : { buildAfterMs: file.frontMatter.build_after }),
  };
  if (planned.plan === null) {
    const native = await understood(file, problems, () => readNative(file, planned, tables, session));
    return native && { ...described, ...native };
  }
  const edge = readEdge(file, planned, tables);
  return edge && { ...described, ...edge };
}

/** What the model's plan makes of it; undefined where a problem was reported. */
function readEdge(file: ModelFile, planned: EdgeStatement, tables: readonly TableSchema[]) {
  const { context, columns, clauses } = planned;
  const { problems } = context;
  const plan = withoutIdleOrders(planned.plan);
  const inputs = inputsOf(scannedTables(plan), file, problems);
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
  const relations = new Map(inputs.map(({ table, relation }) => [table, relation]));
  const meaning = {
    grain,
    partition: frontMatter.partition ?? ONLY_PARTITION.column,
    inputs: scanned.map((input) => ({ ...input, relation: relations.get(input.table) ?? ({ kind: "same" } as const) })),
    fields: columns.map(
      ({ name: column, type }): Field => ({ name: column, type: columnTypeOf(type), nullable: true }),
    ),
    plan: pruned,
  };
  return {
    irVersion: IR_VERSION,
    generation: planHash(meaning),
    class: { kind, reason, at: placeAt(context, byte) },
    maxRows: frontMatter.max_rows ?? (kind === "merge" ? MAX_GROUPS : MAX_ROWS),
    ...meaning,
  };
}
