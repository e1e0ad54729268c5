/** Checks that wait for the closing: increments are published without them, and one build judges them once the partition has closed. */
import { beforeAll, describe, expect, test } from "vitest";
import type { LibraryCheck } from "../../../../contracts/contract.ts";
import type { Table } from "../../../../lakehouse/tables/catalog.ts";
import { type DecisionAction, decide } from "../../../../sql/statements/partition-decisions.ts";
import { loadParquetWasm } from "../../../../tools/build/parquet-wasm-node.ts";
import { type Around, Lake, tableOf } from "../../../oracle/lake.ts";
import { landOrders, orderModel } from "../../../oracle/order-models.ts";

const NOON = Date.UTC(2026, 10, 21, 12);
const HOUR = 3_600_000;

beforeAll(() => loadParquetWasm());

function atLeast(value: number, layer: "silver" | "gold", onFail: LibraryCheck["onFail"] = "block"): LibraryCheck {
  return {
    name: "enough",
    layer,
    metric: "rowCount",
    columns: [],
    values: [],
    unit: "rows",
    bound: { op: "mustBeGreaterOrEqualTo", value },
    onFail,
    when: "closing",
  };
}

/** The table without its own checks that wait. */
const only = (domain: string, ...checks: LibraryCheck[]): Table => {
  const table = tableOf(domain);
  return { ...table, checks: [...table.checks.filter(({ when }) => when !== "closing"), ...checks] };
};
const silver = (check: LibraryCheck): Table => only("orders", check);
const gold = only("daily_order_revenue");

const ROWS = `key: [event_date, event_id]
--- */
SELECT event_date, event_id FROM silver_orders`;
const WHOLE = `key: [event_date, event_id]
max_rows: 1000
limit_per_partition: true
--- */
SELECT event_date, event_id FROM silver_orders ORDER BY ALL LIMIT 9`;
const SUMS = `key: [event_date, currency]
--- */
SELECT event_date, currency, count(*) AS orders FROM silver_orders GROUP BY ALL`;

/** Ticks and builds until nothing is left to do: the outcomes for the tables given, in order. */
async function settle(lake: Lake, tables: readonly Table[]): Promise<string[]> {
  const built: string[] = [];
  for (let idle = 0; idle < 3; ) {
    const queued = await lake.plan();
    idle = queued.length === 0 ? idle + 1 : 0;
    for (const { domain, date } of queued) {
      const own = tables.find((table) => table.domain === domain);
      const outcome = await lake.build(own ?? tableOf(domain), date);
      if (own !== undefined)
        built.push(`${domain} ${"rowsIn" in outcome ? `${outcome.kind} ${outcome.rowsIn}` : outcome.kind}`);
    }
    lake.now += 1_000;
  }
  return built;
}

const results = (lake: Lake, table: string) =>
  lake.d1.rows<{ passed: number; measured: number }>(
    "SELECT passed, measured FROM check_history WHERE table_name = ? AND check_name = 'enough' ORDER BY checked_at, run_id",
    table,
  );

const status = (lake: Lake, domain: string) =>
  lake.d1.rows<{ status: string }>("SELECT status FROM partition_meta WHERE domain = ?", domain)[0]?.status;

const some = (from: number, n: number) =>
  Array.from({ length: n }, (_, i) => ({ id: from + i, amount: 100 + from + i }));

describe("a check that waits for the closing", () => {
  test("holds no increment of silver back, and is judged once when the partition has closed, though nothing is new", async () => {
    const lake = new Lake(NOON);
    const tables = [silver(atLeast(4, "silver")), gold];
    const committed = ["orders committed 2", "daily_order_revenue committed 2"];
    await landOrders(lake, some(0, 2));
    expect(await settle(lake, tables)).toEqual(committed);
    await landOrders(lake, some(2, 2));
    expect(await settle(lake, tables)).toEqual(committed);
    expect(results(lake, "silver_orders")).toEqual([]);
    lake.now += 48 * HOUR;
    expect(await settle(lake, tables)).toEqual(["orders committed 0"]);
    expect(results(lake, "silver_orders")).toEqual([{ passed: 1, measured: 4 }]);
    expect(status(lake, "orders")).toBe("DONE");
    // What reads the table and has no such check is not built for it, and the closing comes once.
    lake.now += 48 * HOUR;
    expect(await settle(lake, tables)).toEqual([]);
  });

  test("that fails at the closing holds the partition for a person; late rows are judged with it again", async () => {
    const lake = new Lake(NOON);
    const tables = [silver(atLeast(3, "silver"))];
    await landOrders(lake, some(0, 2));
    await settle(lake, tables);
    lake.now += 48 * HOUR;
    expect(await settle(lake, tables)).toEqual(["orders failed"]);
    expect(status(lake, "orders")).toBe("FAILED");
    // What increments published stays.
    expect(await lake.query("SELECT count(*)::INTEGER AS n FROM silver_orders")).toEqual([{ n: 2 }]);
    lake.now += 48 * HOUR;
    expect(await settle(lake, tables)).toEqual([]);
    await landOrders(lake, some(2, 1));
    expect(await settle(lake, tables)).toEqual(["orders committed 1"]);
    expect(results(lake, "silver_orders").map(({ passed }) => passed)).toEqual([0, 1]);
  });

  test("and quarantines takes its rows out at the closing, as one revision that gold follows", async () => {
    const lake = new Lake(NOON);
    const share: LibraryCheck = {
      ...atLeast(0, "silver", "quarantine"),
      name: "enough",
      metric: "invalidValues",
      columns: ["channel"],
      values: ["web"],
      unit: "percent",
      bound: { op: "mustBeLessThan", value: 50 },
    };
    const orders = tableOf("orders");
    const tables = [{ ...orders, checks: [share] }, tableOf("daily_order_revenue")];
    await landOrders(lake, some(0, 4));
    expect(await settle(lake, tables)).toEqual(["orders committed 4", "daily_order_revenue committed 4"]);
    lake.now += 48 * HOUR;
    const built = await settle(lake, tables);
    expect(built.at(-1)).toBe("daily_order_revenue committed 2");
    expect(await lake.query("SELECT count(*)::INTEGER AS n FROM silver_orders")).toEqual([{ n: 2 }]);
    expect(results(lake, "silver_orders").at(-1)).toEqual({ passed: 0, measured: 50 });
  });

  test.each([
    ["merge", SUMS, 3],
    ["rows", ROWS, 4],
    ["whole", WHOLE, 4],
  ])("is judged for models of class %s too", async (kind, text, rows) => {
    const lake = new Lake(NOON);
    const table = await orderModel(text, [atLeast(rows, "gold")]);
    expect(table.model.class.kind).toBe(kind);
    await landOrders(lake, some(0, 1));
    expect(await settle(lake, [table])).toEqual(["daily_order_revenue committed 1"]);
    await landOrders(lake, some(1, 3));
    // A model that is built at once reads all rows each time.
    const read = (added: number) => (kind === "whole" ? 4 : added);
    expect(await settle(lake, [table])).toEqual([`daily_order_revenue committed ${read(3)}`]);
    expect(results(lake, table.name)).toEqual([]);
    lake.now += 48 * HOUR;
    expect(await settle(lake, [table])).toEqual([`daily_order_revenue committed ${read(0)}`]);
    expect(results(lake, table.name)).toEqual([{ passed: 1, measured: rows }]);
    lake.now += 48 * HOUR;
    expect(await settle(lake, [table])).toEqual([]);
  });

  test("is judged by a build from nothing that somebody asks for while the partition is open no earlier than by others", async () => {
    const lake = new Lake(NOON);
    const tables = [silver(atLeast(9, "silver"))];
    await landOrders(lake, some(0, 2));
    await settle(lake, tables);
    lake.d1.rows("UPDATE partition_meta SET status = 'PENDING' WHERE domain = 'orders' RETURNING 1");
    expect(await settle(lake, tables)).toEqual(["orders committed 2"]);
    expect(results(lake, "silver_orders")).toEqual([]);
  });
});

/** Of the orders with an even number one half, of those with an odd one the other. */
const FROM_STORES: LibraryCheck = {
  ...{ name: "enough", layer: "silver", metric: "invalidValues", columns: ["channel"], values: ["web"] },
  ...{ unit: "rows", bound: { op: "mustBeLessThan", value: 2 }, onFail: "block", when: "closing" },
};

describe("a partition that is held back at its closing", () => {
  async function heldBack() {
    const lake = new Lake(NOON);
    const tables = [silver(FROM_STORES)];
    await landOrders(lake, some(0, 4));
    expect(await settle(lake, tables)).toEqual(["orders committed 4"]);
    lake.now += 48 * HOUR;
    expect(await settle(lake, tables)).toEqual(["orders failed"]);
    const [row] = lake.d1.rows<{ run_id: string; error_message: string }>(
      "SELECT run_id, error_message FROM partition_meta WHERE domain = 'orders'",
    );
    expect(row?.error_message).toContain('silver check "enough" measured 2, mustBeLessThan 2');
    const decided = (action: DecisionAction) =>
      decide(lake.d1.binding, "orders", "2026-11-21", {
        ...{ decision_id: action, action, reason: "r", decided_by: "k", decided_at: "now", run_id: row?.run_id ?? "" },
        checks: [{ layer: "silver", check_name: "enough", measured: 2 }],
      });
    const rows = async () => (await lake.query("FROM silver_orders")).length;
    return { lake, tables, decided, rows };
  }

  test.each([
    ["accept", ["orders committed 0"], 4],
    ["discard", [], 4],
  ] as const)("by %s stays as the increments published it, and is not built again", async (action, built, n) => {
    const { lake, tables, decided, rows } = await heldBack();
    expect(await decided(action)).toBe(true);
    expect(await settle(lake, tables)).toEqual(built);
    expect([status(lake, "orders"), await rows()]).toEqual(["DONE", n]);
    lake.now += 48 * HOUR;
    expect(await settle(lake, tables)).toEqual([]);
  });

  test("by quarantine is published without the rows that fail", async () => {
    const { lake, tables, decided, rows } = await heldBack();
    expect(await decided("quarantine")).toBe(true);
    expect((await settle(lake, tables)).at(-1)).toMatch(/^orders committed/);
    expect([status(lake, "orders"), await rows()]).toEqual(["DONE", 2]);
    lake.now += 48 * HOUR;
    expect(await settle(lake, tables)).toEqual([]);
  });
});

test("a check in SQL reads nothing of a date that is open, and the date once when it has closed", async () => {
  const lake = new Lake(NOON);
  const table = tableOf("orders");
  const reads = async (): Promise<number> => {
    const keys: string[] = [];
    for (const { domain, date } of await lake.plan()) {
      const around: Around = (work, call) => {
        if (call.startsWith("get silver/orders/") && call.endsWith(".parquet")) keys.push(call);
        return work();
      };
      if (domain === "orders") await lake.build(table, date, undefined, undefined, around);
    }
    lake.now += 1_000;
    return keys.length;
  };
  const measured = () =>
    lake.d1.rows("SELECT measured FROM check_history WHERE check_name = 'an order keeps its currency'");
  for (let n = 0; n < 3; n++) {
    await landOrders(lake, some(n, 1));
    expect(await reads()).toBe(0);
  }
  expect(measured()).toEqual([]);
  lake.now += 24 * HOUR;
  expect(await reads()).toBeGreaterThanOrEqual(3);
  expect(measured()).toEqual([{ measured: 0 }]);
  expect(await reads()).toBe(0);
});

test("a builder that dies at the closing, an answer that is lost, and two planners at once make one closing", async () => {
  const lake = new Lake(NOON);
  const tables = [silver(atLeast(2, "silver"))];
  await landOrders(lake, some(0, 2));
  await settle(lake, tables);
  lake.now += 24 * HOUR;
  await Promise.all([lake.plan(), lake.plan()]);
  // Its commit is not done; then one that was is not known to be.
  const commit: Around = (work, call) =>
    call === "batch" ? work().then(() => Promise.reject(new Error("lost"))) : work();
  await lake.build(tables[0] ?? tableOf("orders"), "2026-11-21", undefined, "nonce", commit).catch(() => undefined);
  lake.now += HOUR;
  await settle(lake, tables);
  expect([status(lake, "orders"), results(lake, "silver_orders").length]).toEqual(["DONE", 1]);
  expect(lake.d1.rows("SELECT 1 FROM versions WHERE table_name = 'silver_orders'")).toHaveLength(2);
});

test("a partition that was held by a rollback until its bronze was retired is not built for its closing", async () => {
  const lake = new Lake(NOON);
  const tables = [silver(atLeast(2, "silver"))];
  await landOrders(lake, some(0, 2));
  await settle(lake, tables);
  lake.d1.rows("INSERT INTO pinned_partitions VALUES ('orders', '2026-11-21', 1, 'r', 'now')");
  lake.now += 48 * HOUR;
  expect(await settle(lake, tables)).toEqual([]);
  lake.d1.rows("INSERT INTO sealed_partitions VALUES ('orders', '2026-11-21', 'now')");
  lake.d1.rows("DELETE FROM pinned_partitions");
  expect(await settle(lake, tables)).toEqual([]);
  lake.d1.rows("DELETE FROM sealed_partitions");
  expect(await settle(lake, tables)).toEqual(["orders committed 0"]);
});
