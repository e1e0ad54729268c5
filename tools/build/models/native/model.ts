/** A model that DuckDB has to run: that its rows are determined, what it reads, and what it gives. */
import { createHash } from "node:crypto";
import { planHash } from "../../../../lakehouse/builds/models/plan-hash.ts";
import type { Field } from "../../../../lakehouse/engine/columns/column.ts";
import type { IrType, ModelInput, NativeModel } from "../../../../lakehouse/engine/ir/ir.ts";
import { columnTypeOf } from "../../../../lakehouse/engine/ir/ir-types.ts";
import { ONLY_PARTITION } from "../../../../lakehouse/engine/ir/relation.ts";
import {
  checkColumns,
  checkLimit,
  checkMadePartition,
  checkNames,
  namedPartition,
  partitionProblem,
  reportPassing,
} from "../check-model.ts";
import { placeAt, reportAt } from "../decode-context.ts";
import type { ModelFile } from "../front-matter.ts";
import { isObject, type JsonObject, objectsAt } from "../json.ts";
import { grainOf, inputsOf, isDated } from "../model-inputs.ts";
import type { NativeStatement } from "../plan-statement.ts";
import type { PlannerSession, TableSchema } from "../planner-session.ts";
import { reportPairs } from "./joins.ts";
import type { KnownRows, Source } from "./rows.ts";
import { checkStatement } from "./statement.ts";
import type { InputRows } from "./walk.ts";

type Native = Pick<
  NativeModel,
  "class" | "plan" | "statement" | "grain" | "partition" | "inputs" | "fields" | "generation"
>;

/** What the statement makes of a model; undefined where a problem was reported. */
export async function readNative(
  file: ModelFile,
  statement: NativeStatement,
  tables: readonly TableSchema[],
  session: PlannerSession,
): Promise<Native | undefined> {
  const { context, tree } = statement;
  const { problems } = context;
  const scanned = await session.columnsRead(file.sql);
  if (scanned.size === 0)
    return reportAt(context, undefined, "the SELECT reads no table", "select from an input table");
  const read = [...scanned].map(([table, columns]) => ({ table, columns }));
  const inputs = inputsOf(read.toSorted(byTable), file, problems);
  const grain = grainOf(inputs, tables, file, problems);
  const columns = storable(statement);
  if (columns === undefined || !problems.none) return undefined;
  const rows = checkStatement(statement, {
    inputOf: (name) => inputRows(name, inputs, tables),
    limited: (reads, isTotal) =>
      checkLimit({ file, inputs: inputs.filter(({ table }) => reads.has(table)), context }, isTotal),
  });
  const facts = { file, columns, inputs, grain, context };
  checkColumns(facts);
  checkNames(facts);
  if (problems.none) checkPartition(facts, rows, tables);
  refuseEdge(file, statement);
  if (!problems.none) return undefined;
  const types = read.map(({ table, columns: names }) => ({ table, types: typesOf(table, names, tables) }));
  const meaning = {
    grain,
    partition: file.frontMatter.partition ?? ONLY_PARTITION.column,
    inputs,
    fields: columns.map(({ name, type }): Field => ({ name, type: columnTypeOf(type), nullable: true })),
    plan: null,
    statement: hashOf([tree, types.toSorted(byTable)]),
  };
  const { reason, byte } = statement.reason;
  return {
    generation: planHash(meaning),
    class: { kind: "native", reason, at: placeAt(context, byte) },
    ...meaning,
  };
}

type Facts = Parameters<typeof namedPartition>[0];

function byTable(a: { readonly table: string }, b: { readonly table: string }): number {
  return a.table < b.table ? -1 : 1;
}

/** The columns, where tables have them all. */
function storable({ columns, context }: NativeStatement) {
  const known = columns.flatMap(({ name, type, label }): { readonly name: string; readonly type: IrType }[] => {
    if (type !== undefined) return [{ name, type }];
    const fix = "cast it to one of BOOLEAN, INTEGER, BIGINT, DOUBLE, DECIMAL, DATE, TIMESTAMPTZ, VARCHAR";
    reportAt(context, undefined, `column "${name}" is a ${label}, which no table has`, fix);
    return [];
  });
  return known.length === columns.length ? known : undefined;
}

function inputRows(name: string, inputs: readonly ModelInput[], tables: readonly TableSchema[]): InputRows {
  const table = tables.find((each) => each.name === name);
  const kind = inputs.find((each) => each.table === name)?.relation.kind ?? "same";
  const isOne = table?.grain === "one";
  // A key is told apart within a partition: where several are read, with the partition column.
  const several = kind !== "same" && kind !== "latest" && !isOne && table !== undefined;
  return {
    key: table?.key && (several ? [...table.key, table.partition] : table.key),
    partition: kind === "same" && !isOne ? table?.partition : undefined,
  };
}

function checkPartition(facts: Facts, rows: KnownRows, tables: readonly TableSchema[]): void {
  const { file, inputs, columns, context } = facts;
  const name = namedPartition(facts);
  const index = columns.findIndex((column) => column.name === name);
  if (name === undefined || index < 0) return;
  const [dated, apart] = rows.dates;
  if (apart !== undefined) reportPairs(apart.table, context);
  const sources = rows.columns[index] ?? [];
  const own = inputs.find((input) => isDated(input) && input.relation.kind !== "same");
  if (own !== undefined) {
    const { relation } = own;
    const isFirst = (source: Source) => relation.kind !== "within" || isFirstDayOf(relation.unit, source);
    checkMadePartition(facts, name, own, () => sources.every(isFirst));
    return;
  }
  if (apart !== undefined || dated?.columns.has(index)) return;
  const problem = sources
    .map((source) => partitionProblem("table" in source ? source : { computed: "an expression" }, tables, inputs))
    .find((each) => each !== undefined);
  reportPassing(file, name, problem ?? "not that of every row", context);
}

function isFirstDayOf(unit: string, source: Source): boolean {
  let expression = "table" in source ? undefined : source.expression;
  while (expression?.["expression_class"] === "BOUND_CAST")
    expression = isObject(expression["child"]) ? expression["child"] : undefined;
  if (expression?.["name"] !== "date_trunc") return false;
  const [what] = objectsAt(expression, "children");
  const value = what?.["value"];
  return isObject(value) && String(value["value"]).toLowerCase() === unit;
}

function refuseEdge(file: ModelFile, { context, reason }: NativeStatement): void {
  if (file.frontMatter.engine !== "edge") return;
  context.problems.report(
    file.offsetOf(["engine"]),
    `the model says engine: edge, but ${reason.reason} (${placeAt(context, reason.byte)})`,
    "write it another way (docs/model-sql.md), or say engine: auto",
  );
}

function typesOf(name: string, columns: readonly string[], tables: readonly TableSchema[]) {
  const fields = tables.find((table) => table.name === name)?.fields ?? [];
  return fields.filter((field) => columns.includes(field.name)).map((field) => [field.name, field.type]);
}

/** Of a statement as it was parsed, without the places of its words. */
function hashOf(value: readonly [JsonObject, unknown]): string {
  const text = JSON.stringify(value, (key, inner: unknown) =>
    key === "query_location" ? undefined : typeof inner === "bigint" ? String(inner) : inner,
  );
  return createHash("sha256").update(text).digest("hex").slice(0, 32);
}
