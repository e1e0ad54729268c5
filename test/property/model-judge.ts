/** Holds what a model gives against DuckDB's own answer to the same SELECT over the same rows. */

import fc from "fast-check";
import { expect } from "vitest";
import { type ModelInputs, runModel } from "../../lakehouse/builds/models/run.ts";
import type { Batch } from "../../lakehouse/engine/columns/column.ts";
import { sliceBatch } from "../../lakehouse/engine/columns/gather.ts";
import { rowAt } from "../../lakehouse/engine/columns/value.ts";
import { ModelValueError } from "../../lakehouse/engine/ir/errors.ts";
import type { EdgeModel } from "../../lakehouse/engine/ir/ir.ts";
import { partialPlanOf } from "../../lakehouse/engine/operators/partial-plan.ts";
import { writeParquet } from "../../lakehouse/engine/parquet/writer.ts";
import { compileModels, type TableSchema } from "../../tools/build/models/compile-models.ts";
import { edgeModels } from "../oracle/edge-models.ts";
import { permit } from "../oracle/permit.ts";
import { exactText, expectSameRows, type Row } from "../oracle/same-rows.ts";
import { batchOf } from "../unit/lakehouse/engine/columns/column-of.ts";
import type { DuckDBOracle } from "../unit/lakehouse/engine/parquet/duckdb.ts";
import { runByIncrements, runMerged } from "./partial-models.ts";

/** Rows of one table. */
export interface TableRows {
  readonly table: TableSchema;
  readonly rows: readonly Row[];
}

/** Loaded rows as the runtime reads them, whole and by parts. */
export interface LoadedRows extends ModelInputs {
  /** The rows of the only table, a part for each cut; none where there are several tables. */
  readonly parts: readonly ModelInputs[];
  /** How far a sum of the doubles may be off (promise P12): DuckDB adds them one by one. */
  readonly slack: number;
}

/** How many rows the runtime gets at a time. */
export const cuts = fc.integer({ min: 1, max: 40 });

/** The SELECTs as models whose partition and key is the column `d`, by their names. */
export async function compileStatements(
  statements: Readonly<Record<string, string>>,
  tables: readonly TableSchema[],
): Promise<ReadonlyMap<string, EdgeModel>> {
  const compiled = await compileModels({
    models: Object.entries(statements).map(([name, sql]) => ({ path: `${name}.sql`, text: modelText(sql) })),
    tables,
  });
  return new Map(edgeModels(compiled).map((model) => [model.name, model]));
}

function modelText(sql: string): string {
  return `/* ---\ndescription: a test\npartition: d\nkey: [d]\nmax_rows: 100000\nlimit_per_partition: true\n--- */\n${sql}\n`;
}

/** The same rows as Parquet files in DuckDB and as batches of `cut` rows for the runtime. */
export async function load(oracle: DuckDBOracle, tables: readonly TableRows[], cut: number): Promise<LoadedRows> {
  const batches = new Map<string, Batch>();
  for (const { table, rows } of tables) {
    const { fields, name } = table;
    const batch = batchOf(fields, rows);
    const file = await writeParquet(permit, { fields, batches: [batch], dictionaryColumns: [], rowGroupRows: 10 });
    await oracle.query(file, `CREATE OR REPLACE TABLE ${name} AS FROM read_parquet(FILE)`);
    batches.set(name, batch);
  }
  const slicesOf = (batch: Batch) =>
    Array.from({ length: Math.ceil(batch.length / cut) }, (_, part) =>
      sliceBatch(batch, part * cut, Math.min(batch.length, (part + 1) * cut)),
    );
  const [only, ...others] = batches.values();
  return {
    async *scan(name, columns) {
      const batch = batches.get(name);
      if (batch === undefined) throw new Error(`no rows of ${name} were loaded`);
      for (const slice of slicesOf(batch)) yield pick(slice, columns);
    },
    parts: (only === undefined || others.length > 0 ? [] : slicesOf(only)).map((slice) => ({
      async *scan(_name, columns) {
        yield pick(slice, columns);
      },
    })),
    slack: 1e-12 * sizeOfDoubles(tables.flatMap(({ rows }) => rows)),
  };
}

function sizeOfDoubles(rows: readonly Row[]): number {
  const doubles = rows.flatMap((row) => Object.values(row)).filter((value) => typeof value === "number");
  return doubles.reduce((sum, value) => (Number.isFinite(value) ? sum + Math.abs(value) : sum), 0);
}

/** Only what was asked for, so that a column that pruning lost is missed. */
function pick(batch: Batch, names: readonly string[]): Batch {
  const kept = batch.fields.flatMap((field, index) => (names.includes(field.name) ? [index] : []));
  return {
    fields: kept.flatMap((index) => batch.fields.slice(index, index + 1)),
    columns: kept.flatMap((index) => batch.columns.slice(index, index + 1)),
    length: batch.length,
  };
}

function rowsOf(batch: Batch): readonly Row[] {
  return Array.from({ length: batch.length }, (_, index) => rowAt(batch, index));
}

/** Expects DuckDB's rows of the model over the tables that `load` loaded, in the order of the key; or what DuckDB refuses to be refused. */
export async function judge(oracle: DuckDBOracle, model: EdgeModel, inputs: LoadedRows): Promise<void> {
  let expected: readonly Row[];
  try {
    expected = await oracle.run(model.sql);
  } catch (refusal) {
    // What DuckDB refuses for its value, we refuse.
    expect(String(refusal)).toMatch(
      /Out of Range|Conversion|out of range|overflow|Syntax Error|Cannot subtract infinite|Malformed JSON/i,
    );
    const outcome = await runModel(model, inputs).then(rowsOf, (error: unknown) => error);
    expect(outcome, String(refusal)).toBeInstanceOf(ModelValueError);
    return;
  }
  const batch = await runModel(model, inputs);
  const actual = rowsOf(batch);
  const doubles = new Set(model.fields.filter((field) => field.type.kind === "float64").map((field) => field.name));
  expectSameRows(actual, expected, doubles, inputs.slack);
  await expectSameByParts(model, inputs.parts, actual);

  const order = await oracle.run(`SELECT ${model.key.join(", ")} FROM (${model.sql}) ORDER BY ALL`);
  const keys = actual.map((row) => exactText(model.key.map((name) => row[name] ?? null)));
  expect(keys).toEqual(order.map((row) => exactText(model.key.map((name) => row[name] ?? null))));
}

/** Whatever the parts and their order, the rows are those of one run, to the last bit of every double. */
async function expectSameByParts(
  model: EdgeModel,
  parts: readonly ModelInputs[],
  whole: readonly Row[],
): Promise<void> {
  if (partialPlanOf(model.plan) === undefined || parts.length === 0) return;
  const wanted = bitTexts(whole);
  expect(bitTexts(rowsOf(await runByIncrements(model, parts)))).toEqual(wanted);
  expect(bitTexts(rowsOf(await runMerged(model, parts.toReversed())))).toEqual(wanted);
}

/** Rows as texts that also tell -0 from 0, in an order of their own: rows of one key have none. */
function bitTexts(rows: readonly Row[]): readonly string[] {
  return rows.map((row) => exactText(Object.values(row).map((value) => (Object.is(value, -0) ? "-0" : value)))).sort();
}
