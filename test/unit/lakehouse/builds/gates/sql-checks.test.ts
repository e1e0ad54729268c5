/** Checks in SQL at the gate and in a build; that they measure what DuckDB does is held in test/property/sql-checks. */
import { beforeAll, describe, expect, test } from "vitest";
import type { SqlCheck } from "../../../../../contracts/contract.ts";
import { runChecks } from "../../../../../lakehouse/builds/gates/gate.ts";
import { resultRow } from "../../../../../lakehouse/builds/gates/result-row.ts";
import { ModelMismatchError } from "../../../../../lakehouse/engine/ir/errors.ts";
import type { RunnableSqlCheck } from "../../../../../lakehouse/tables/compiled/compiled-check.ts";
import { formatTimestamp } from "../../../../../schemas/time.ts";
import { loadParquetWasm } from "../../../../../tools/build/parquet-wasm-node.ts";
import { compileChecks } from "../../../../../tools/build/quality/compile-checks.ts";
import { makeMessage, uuidAt } from "../../../../oracle/frames.ts";
import { Lake, tableOf } from "../../../../oracle/lake.ts";
import { batchOf } from "../../engine/columns/column-of.ts";

const NOON = Date.UTC(2026, 10, 21, 12);
const DAY = "2026-11-21";
const orders = tableOf("orders");
const revenue = tableOf("daily_order_revenue");

beforeAll(() => loadParquetWasm());

/** A check as the build would compile it; `table` is silver_orders unless the check is of gold. */
async function compiled(query: string, more: Partial<SqlCheck> = {}): Promise<RunnableSqlCheck> {
  const check: SqlCheck = {
    name: "added",
    layer: "silver",
    metric: "sql",
    query,
    bound: { op: "mustBe", value: 0 },
    onFail: "block",
    ...more,
  };
  const models = revenue.kind === "model" ? [revenue.model] : [];
  const source = { check, asked: undefined, file: "test", line: 1, truth: false, queryLine: (line: number) => line };
  const result = await compileChecks([{ topic: "orders", checks: [source] }], [orders], models);
  expect(result.problems).toEqual([]);
  const [plan] = result.compiled;
  if (plan === undefined) throw new Error("not compiled");
  return { ...check, compiled: plan };
}

function order(n: number, amount: number, coupon: string | null = null) {
  return {
    event_id: `e${n}`,
    order_id: `ord_00000${n}`,
    customer_id: "c1",
    event_timestamp: formatTimestamp((NOON - 60_000) * 1_000),
    status: "placed",
    currency: "EUR",
    amount,
    channel: "web",
    items: [{ sku: "s", name: "n", quantity: 1, unit_price: amount }],
    coupon,
  };
}

async function landed(...events: ReturnType<typeof order>[]): Promise<Lake> {
  const lake = new Lake(NOON);
  const message = makeMessage({
    topic: "orders",
    messageId: uuidAt(NOON, 1),
    received: NOON * 1_000,
    events: events.map((event) => ({ event, extra: null, lexical: null })),
  });
  await lake.land("orders", [message]);
  await lake.plan();
  return lake;
}

function resultOf(lake: Lake) {
  return lake.d1.rows<{ layer: string; metric: string; measured: number | null; passed: number; bound: string }>(
    "SELECT layer, metric, measured, passed, bound FROM check_history WHERE check_name = 'added'",
  );
}

const TOO_MUCH = "SELECT count(*) FILTER (WHERE amount > 100) FROM silver_orders";

describe("a build with a check in SQL", () => {
  test("that says block publishes nothing when it fails (P6)", async () => {
    const lake = await landed(order(1, 10), order(2, 250));
    const outcome = await lake.build({ ...orders, checks: [...orders.checks, await compiled(TOO_MUCH)] }, DAY);
    expect(outcome).toMatchObject({ kind: "failed", failureClass: "data" });
    expect(outcome.kind === "failed" ? outcome.message : "").toContain('silver check "added" measured 1, mustBe 0');
    expect(resultOf(lake)).toEqual([{ layer: "silver", metric: "sql", measured: 1, passed: 0, bound: '{"mustBe":0}' }]);
    expect(lake.d1.rows("SELECT * FROM published")).toEqual([]);
  });

  test("that says warn publishes and records", async () => {
    const lake = await landed(order(1, 10), order(2, 250));
    const check = await compiled(TOO_MUCH, { onFail: "warn" });
    expect(await lake.build({ ...orders, checks: [...orders.checks, check] }, DAY)).toMatchObject({
      kind: "committed",
      rowsOut: 2,
    });
    expect(resultOf(lake)).toMatchObject([{ measured: 1, passed: 0 }]);
  });

  test("of the bronze it reads, copies included", async () => {
    const lake = await landed(order(1, 10), order(1, 10));
    const query = "SELECT count(*) FROM bronze_orders";
    const check: SqlCheck = { ...(await compiled(TOO_MUCH)), query, layer: "bronze" };
    const source = { check, asked: undefined, file: "test", line: 1, truth: false, queryLine: (line: number) => line };
    const bronze = { ...orders, name: "bronze_orders", fields: orders.fields.slice(0, -1) };
    const [plan] = (await compileChecks([{ topic: "orders", checks: [source] }], [bronze], [])).compiled;
    if (plan === undefined) throw new Error("not compiled");
    await lake.build({ ...orders, checks: [{ ...check, bound: { op: "mustBe", value: 2 }, compiled: plan }] }, DAY);
    expect(resultOf(lake)).toMatchObject([{ layer: "bronze", measured: 2, passed: 1 }]);
  });

  test("of a gold table measures the model's rows", async () => {
    const lake = await landed(order(1, 10), order(2, 250));
    lake.now += 61_000; // The first build message went to nobody: the planner sends another.
    await lake.settle();
    const check = await compiled("SELECT sum(gross_revenue) FROM daily_order_revenue", {
      layer: "gold",
      table: "daily_order_revenue",
      bound: { op: "mustBeBetween", value: [259.9, 260.1] },
    });
    lake.d1.rows("UPDATE partition_meta SET status = 'PENDING' WHERE domain = 'daily_order_revenue'");
    await lake.plan();
    expect(await lake.build({ ...revenue, checks: [check] }, DAY)).toMatchObject({ kind: "committed" });
    expect(resultOf(lake)).toMatchObject([{ layer: "gold", measured: 260, passed: 1 }]);
  });

  test("that gives no number fails the check and not the build, and quotes no value", async () => {
    const lake = await landed(order(1, 10, "SECRET"));
    const check = await compiled("SELECT max(coupon::INTEGER) FROM silver_orders");
    const outcome = await lake.build({ ...orders, checks: [check] }, DAY);
    expect(outcome).toMatchObject({ kind: "failed", failureClass: "data" });
    const message = outcome.kind === "failed" ? outcome.message : "";
    expect(message).toContain('"added" measured nothing (a value of the query cannot be computed), mustBe 0');
    expect(message).not.toContain("SECRET");
    expect(resultOf(lake)).toMatchObject([{ measured: null, passed: 0 }]);
    const warned = await landed(order(1, 10, "SECRET"));
    const built = await warned.build({ ...orders, checks: [{ ...check, onFail: "warn" }] }, DAY);
    expect(built).toMatchObject({ kind: "committed" });
    expect(resultOf(warned)).toMatchObject([{ measured: null, passed: 0 }]);
  });
});

describe("a query over a candidate", () => {
  const fields = orders.fields.filter(({ name }) => ["event_id", "amount", "currency"].includes(name));
  const measure = async (query: string, rows: Parameters<typeof batchOf>[1], more: Partial<SqlCheck> = {}) => {
    const [result] = await runChecks([await compiled(query, more)], "silver", batchOf(fields, rows));
    return result;
  };

  test("reads all of a large one", async () => {
    const rows = Array.from({ length: 150_000 }, (_, n) => ({ event_id: `e${n}`, amount: "0.01", currency: "EUR" }));
    expect(await measure("SELECT sum(amount) FROM silver_orders", rows)).toMatchObject({ measured: 1_500 });
    expect(await measure("SELECT count(DISTINCT event_id) FROM silver_orders", rows)).toMatchObject({
      measured: 150_000,
    });
  });

  test("that groups too much says what to do, and so does the run's row", async () => {
    const rows = Array.from({ length: 500 }, (_, n) => ({ event_id: `${n}`.padEnd(40_000, "x"), currency: "EUR" }));
    const query = "SELECT count(*) FROM (SELECT event_id FROM silver_orders GROUP BY event_id HAVING count(*) > 1)";
    const result = await measure(query, rows);
    const problem = expect.stringMatching(
      /holds more than \d+ bytes .*: count repeated keys with the metric duplicateValues/,
    );
    expect(result).toMatchObject({ measured: null, passed: false, problem });
    if (result === undefined) throw new Error("there is a check");
    expect(resultRow(result, [])).toMatchObject({ measured: null, passed: 0, problem });
  });

  test("of nothing gives NULL, which no bound holds for", async () => {
    const bound = { op: "mustNotBe", value: 5 } as const;
    expect(await measure("SELECT max(amount) FROM silver_orders", [], { bound })).toMatchObject({
      measured: null,
      passed: false,
      problem: "the query gave NULL",
    });
    expect(await measure("SELECT count(*) FROM silver_orders", [])).toMatchObject({ measured: 0, passed: true });
  });

  test("compiled for another version of the representation is a fault of the system", async () => {
    const check = await compiled("SELECT count(*) FROM silver_orders");
    const old = { ...check, compiled: { ...check.compiled, irVersion: 0 } };
    await expect(runChecks([old], "silver", batchOf(fields, []))).rejects.toThrow(ModelMismatchError);
  });
});
