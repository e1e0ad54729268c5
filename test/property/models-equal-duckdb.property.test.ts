import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ModelInputs, runModel } from "../../lakehouse/builds/models/run.ts";
import type { Batch } from "../../lakehouse/engine/columns/column.ts";
import { sliceBatch } from "../../lakehouse/engine/columns/gather.ts";
import { rowAt } from "../../lakehouse/engine/columns/value.ts";
import { ModelValueError } from "../../lakehouse/engine/ir/errors.ts";
import type { CompiledModel } from "../../lakehouse/engine/ir/ir.ts";
import { writeParquet } from "../../lakehouse/engine/parquet/writer.ts";
import { compileModels, type TableSchema } from "../../tools/build/models/compile-models.ts";
import { loadParquetWasm } from "../../tools/build/parquet-wasm-node.ts";
import { longOrShare } from "../long-share.ts";
import { exactText, expectSameRows, type Row } from "../oracle/same-rows.ts";
import {
  arbitraryRows,
  sampleTable,
  shopTables,
  silverLedger,
  silverOrders,
  silverPayments,
} from "../oracle/shop-tables.ts";
import { batchOf } from "../unit/lakehouse/engine/columns/column-of.ts";
import { DuckDBOracle } from "../unit/lakehouse/engine/parquet/duckdb.ts";
import { statements } from "./model-statements.ts";

const GOLD = join(import.meta.dirname, "../../sql/gold");
/** The models over the tables that this test makes rows for; a new domain's model is held against DuckDB where its topic is tested. */
const SHOP_MODELS = ["daily_order_revenue.sql", "payment_success_rate.sql", "pipeline_health.sql"];

let oracle: DuckDBOracle;
let gold: readonly CompiledModel[];
let samples: readonly CompiledModel[];

beforeAll(async () => {
  loadParquetWasm();
  oracle = await DuckDBOracle.open();
  gold = await compileModels({
    models: SHOP_MODELS.map((path) => ({ path, text: readFileSync(join(GOLD, path), "utf8") })),
    tables: shopTables,
  });
  samples = await compileModels({
    models: Object.entries(statements).map(([name, sql]) => ({ path: `${name}.sql`, text: modelText(sql) })),
    tables: shopTables,
  });
});
afterAll(() => oracle[Symbol.asyncDispose]());

function modelText(sql: string): string {
  return `/* ---\ndescription: a test\npartition: d\nkey: [d]\nmax_rows: 100000\nlimit_per_partition: true\n--- */\n${sql}\n`;
}

/** The same rows as a Parquet file in DuckDB and as batches of `cut` rows for the runtime. */
async function load(table: TableSchema, rows: readonly Row[], cut: number): Promise<ModelInputs> {
  const batch = batchOf(table.fields, rows);
  const file = await writeParquet({ fields: table.fields, batches: [batch], dictionaryColumns: [], rowGroupRows: 10 });
  await oracle.query(file, `CREATE OR REPLACE TABLE ${table.name} AS FROM read_parquet(FILE)`);
  return {
    async *scan(name, columns) {
      expect(name).toBe(table.name);
      for (let start = 0; start < batch.length; start += cut) {
        yield pick(sliceBatch(batch, start, Math.min(batch.length, start + cut)), columns);
      }
    },
  };
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

async function judge(model: CompiledModel, inputs: ModelInputs): Promise<void> {
  let expected: readonly Row[];
  try {
    expected = await oracle.run(model.sql);
  } catch (refusal) {
    // What DuckDB refuses for its value, we refuse.
    expect(String(refusal)).toMatch(/Out of Range|Conversion|out of range|overflow/i);
    const outcome = await runModel(model, inputs).then(rowsOf, (error: unknown) => error);
    expect(outcome, String(refusal)).toBeInstanceOf(ModelValueError);
    return;
  }
  const batch = await runModel(model, inputs);
  const actual = rowsOf(batch);
  const doubles = new Set(model.fields.filter((field) => field.type.kind === "float64").map((field) => field.name));
  expectSameRows(actual, expected, doubles);

  const order = await oracle.run(`SELECT ${model.key.join(", ")} FROM (${model.sql}) ORDER BY ALL`);
  const keys = actual.map((row) => exactText(model.key.map((name) => row[name] ?? null)));
  expect(keys).toEqual(order.map((row) => exactText(model.key.map((name) => row[name] ?? null))));
}

const cuts = fc.integer({ min: 1, max: 40 });

test("the sample models cover what they are meant to", () => {
  expect(samples.length).toBeGreaterThanOrEqual(25);
});

for (const name of Object.keys(statements)) {
  test(`${name} gives DuckDB's rows`, async () => {
    const model = samples.find((candidate) => candidate.name === name);
    if (model === undefined) throw new Error(`${name} was not compiled`);
    await fc.assert(
      fc.asyncProperty(arbitraryRows(sampleTable), cuts, async (rows, cut) =>
        judge(model, await load(sampleTable, rows, cut)),
      ),
      { numRuns: longOrShare(25, 8) },
    );
  }, 60_000);
}

for (const table of [silverOrders, silverPayments, silverLedger]) {
  test(`the gold model over ${table.name} gives DuckDB's rows`, async () => {
    const model = gold.find((candidate) => candidate.inputs.some((input) => input.table === table.name));
    if (model === undefined) throw new Error(`no model reads ${table.name}`);
    await fc.assert(
      fc.asyncProperty(arbitraryRows(table), cuts, async (rows, cut) => judge(model, await load(table, rows, cut))),
      { numRuns: longOrShare(40, 12) },
    );
  }, 60_000);
}
