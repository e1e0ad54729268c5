/** Checks in SQL, as contracts have them, against DuckDB running the same query over the same rows. */

import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { contracts } from "../../contracts/registry.ts";
import { runChecks } from "../../lakehouse/builds/gates/gate.ts";
import { writeParquet } from "../../lakehouse/engine/parquet/writer.ts";
import type { CompiledCheck } from "../../lakehouse/tables/compiled/compiled-check.ts";
import { loadParquetWasm } from "../../tools/build/parquet-wasm-node.ts";
import { compileChecks } from "../../tools/build/quality/compile-checks.ts";
import { longOrShare } from "../long-share.ts";
import { permit } from "../oracle/permit.ts";
import type { Row } from "../oracle/same-rows.ts";
import { arbitraryRows, silverOrders, silverPayments } from "../oracle/shop-tables.ts";
import { batchOf } from "../unit/lakehouse/engine/columns/column-of.ts";
import { DuckDBOracle } from "../unit/lakehouse/engine/parquet/duckdb.ts";

/** Beside the contracts' own: every type of number, an empty table's NULL, a cast that some rows refuse. */
const QUERIES = [
  "SELECT count(*) FROM silver_orders",
  "SELECT count(*) FILTER (WHERE amount < 0) FROM silver_orders",
  "SELECT sum(amount) FROM silver_orders",
  "SELECT coalesce(sum(amount), 0) FROM silver_orders",
  "SELECT max(schema_version) FROM silver_orders",
  "SELECT sum(schema_version) FROM silver_orders",
  "SELECT 100.0 * count(coupon) / count(*) FROM silver_orders",
  "SELECT avg(amount) FROM silver_orders",
  "SELECT count(DISTINCT currency) FROM silver_orders",
  "SELECT sum(coupon::INTEGER) FROM silver_orders",
  "SELECT max(n) FROM (SELECT customer_id, count(*) AS n FROM silver_orders GROUP BY customer_id)",
  "SELECT sum(line.quantity) FROM (SELECT unnest(items) AS line FROM silver_orders)",
];
const SHIPPED = contracts.flatMap(({ topic, checks }) =>
  topic === "orders" || topic === "payments"
    ? checks.filter((check) => check.metric === "sql").filter(({ layer }) => layer === "silver")
    : [],
);

let oracle: DuckDBOracle;
let compiled: readonly CompiledCheck[];

const checkOf = (query: string) => ({
  name: query,
  layer: "silver" as const,
  metric: "sql" as const,
  query,
  bound: { op: "mustBe" as const, value: 0 },
  onFail: "warn" as const,
});
const queries = [...QUERIES, ...SHIPPED.map(({ query }) => query)];

beforeAll(async () => {
  loadParquetWasm();
  oracle = await DuckDBOracle.open();
  const sources = (table: string) =>
    queries
      .filter((query) => query.includes(table))
      .map((query) => ({
        check: checkOf(query),
        file: "test",
        line: 1,
        asked: undefined,
        truth: false,
        queryLine: (line: number) => line,
      }));
  const result = await compileChecks(
    [
      { topic: "orders", checks: sources("silver_orders") },
      { topic: "payments", checks: sources("silver_payments") },
    ],
    [silverOrders, silverPayments],
    [],
  );
  expect(result.problems).toEqual([]);
  compiled = result.compiled;
});
afterAll(() => oracle[Symbol.asyncDispose]());

test("the contracts' own queries are among these", () => {
  expect(SHIPPED.length).toBeGreaterThanOrEqual(2);
});

test.each(queries)(
  "%s",
  async (query) => {
    const table = query.includes("silver_payments") ? silverPayments : silverOrders;
    const plan = compiled.find(({ name }) => name === query);
    if (plan === undefined) throw new Error("not compiled");
    const check = { ...checkOf(query), compiled: plan };
    await fc.assert(
      fc.asyncProperty(arbitraryRows(table), async (rows) => {
        const [result] = await runChecks([check], "silver", batchOf(table.fields, rows));
        const expected = await byDuckDb(query, table, rows);
        if (expected === null || !Number.isFinite(expected))
          expect(result).toMatchObject({ measured: null, passed: false, problem: expect.any(String) });
        else {
          const error = Math.abs((result?.measured ?? Number.NaN) - expected);
          expect(error).toBeLessThanOrEqual(1e-12 * Math.abs(expected));
          expect(result?.passed).toBe(result?.measured === 0);
        }
      }),
      { numRuns: longOrShare(40, 12) },
    );
  },
  longOrShare(900_000, 60_000),
);

/** What DuckDB gives; null for NULL and for a query that it refuses on these rows. */
async function byDuckDb(query: string, table: typeof silverOrders, rows: readonly Row[]): Promise<number | null> {
  const batch = batchOf(table.fields, rows);
  const file = await writeParquet(permit, { fields: table.fields, batches: [batch], dictionaryColumns: [] });
  await oracle.query(file, `CREATE OR REPLACE TABLE ${table.name} AS FROM read_parquet(FILE)`);
  try {
    const [row] = await oracle.run(`SELECT (${query})::DOUBLE AS n`);
    const value = row?.["n"];
    return typeof value === "number" ? value : null;
  } catch (refusal) {
    expect(String(refusal)).toMatch(/Out of Range|Conversion|out of range|overflow/i);
    return null;
  }
}
