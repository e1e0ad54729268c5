import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { EdgeModel } from "../../lakehouse/engine/ir/ir.ts";
import { partialPlanOf } from "../../lakehouse/engine/operators/partial-plan.ts";
import { compileModels } from "../../tools/build/models/compile-models.ts";
import { loadParquetWasm } from "../../tools/build/parquet-wasm-node.ts";
import { longOrShare } from "../long-share.ts";
import { edgeModels } from "../oracle/edge-models.ts";
import {
  arbitraryRows,
  sampleTable,
  shopTables,
  silverLedger,
  silverOrders,
  silverPayments,
} from "../oracle/shop-tables.ts";
import { DuckDBOracle } from "../unit/lakehouse/engine/parquet/duckdb.ts";
import { compileStatements, cuts, judge, load } from "./model-judge.ts";
import { statements } from "./model-statements.ts";

const GOLD = join(import.meta.dirname, "../../sql/gold");
/** The models over the tables that this test makes rows for; a new domain's model is held against DuckDB where its topic is tested. */
const SHOP_MODELS = ["daily_order_revenue.sql", "payment_success_rate.sql", "pipeline_health.sql"];

let oracle: DuckDBOracle;
let gold: readonly EdgeModel[];
let samples: ReadonlyMap<string, EdgeModel>;

beforeAll(async () => {
  loadParquetWasm();
  oracle = await DuckDBOracle.open();
  gold = edgeModels(
    await compileModels({
      models: SHOP_MODELS.map((path) => ({ path, text: readFileSync(join(GOLD, path), "utf8") })),
      tables: shopTables,
    }),
  );
  samples = await compileStatements(statements, shopTables);
});
afterAll(() => oracle[Symbol.asyncDispose]());

test("the sample models cover what they are meant to", () => {
  expect(samples.size).toBeGreaterThanOrEqual(25);
  const merging = [...samples.values()].filter(({ plan }) => partialPlanOf(plan) !== undefined);
  expect(merging.length).toBeGreaterThanOrEqual(14);
});

for (const name of Object.keys(statements)) {
  test(
    `${name} gives DuckDB's rows`,
    async () => {
      const model = samples.get(name);
      if (model === undefined) throw new Error(`${name} was not compiled`);
      await fc.assert(
        fc.asyncProperty(arbitraryRows(sampleTable), cuts, async (rows, cut) =>
          judge(oracle, model, await load(oracle, [{ table: sampleTable, rows }], cut)),
        ),
        { numRuns: longOrShare(25, 4) },
      );
    },
    longOrShare(900_000, 60_000),
  );
}

for (const table of [silverOrders, silverPayments, silverLedger]) {
  test(
    `the gold model over ${table.name} gives DuckDB's rows`,
    async () => {
      const model = gold.find((candidate) => candidate.inputs.some((input) => input.table === table.name));
      if (model === undefined) throw new Error(`no model reads ${table.name}`);
      await fc.assert(
        fc.asyncProperty(arbitraryRows(table), cuts, async (rows, cut) =>
          judge(oracle, model, await load(oracle, [{ table, rows }], cut)),
        ),
        { numRuns: longOrShare(40, 6) },
      );
    },
    longOrShare(900_000, 60_000),
  );
}
