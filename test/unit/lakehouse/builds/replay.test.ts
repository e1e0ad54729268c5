import { beforeAll, expect, test } from "vitest";
import { planReplay, requestReplay } from "../../../../lakehouse/builds/replay.ts";
import { formatTimestamp } from "../../../../schemas/time.ts";
import { loadParquetWasm } from "../../../../tools/build/parquet-wasm-node.ts";
import { makeMessage, uuidAt } from "../../../oracle/frames.ts";
import { Lake } from "../../../oracle/lake.ts";
import { requireContract } from "../../../oracle/weather.ts";

const NOON = Date.UTC(2026, 10, 21, 12);
const DAY_MS = 86_400_000;
const TABLES = ["silver_orders", "daily_order_revenue", "silver_ledger", "pipeline_health"];

beforeAll(() => loadParquetWasm());

let messages = 0;
function orders(lake: Lake, ids: readonly string[], at = lake.now): Uint8Array {
  return makeMessage({
    topic: "orders",
    messageId: uuidAt(lake.now, ++messages),
    received: lake.now * 1_000,
    events: ids.map((id, n) => ({
      event: {
        event_id: id,
        order_id: "ord_000001",
        customer_id: "c1",
        event_timestamp: formatTimestamp((at - 60_000) * 1_000),
        status: "placed",
        currency: n % 2 === 0 ? "EUR" : "USD",
        amount: 10.5,
        channel: "web",
        items: [{ sku: "s", name: "n", quantity: 2, unit_price: 10.5 }],
      },
      extra: null,
      lexical: null,
    })),
  });
}

function revisions(lake: Lake): number {
  return lake.d1.rows<{ n: number }>("SELECT coalesce(sum(revisions), 0) AS n FROM partition_leases")[0]?.n ?? 0;
}

async function tables(lake: Lake): Promise<unknown> {
  const rows: Record<string, unknown> = {};
  for (const table of TABLES) rows[table] = await lake.query(`SELECT * FROM ${table} ORDER BY ALL`);
  return rows;
}

/** Two dates, both closed and built. */
async function closedLake(): Promise<Lake> {
  const lake = new Lake(NOON);
  await lake.land("orders", [orders(lake, ["a", "b", "a"]), orders(lake, ["c"])]);
  lake.now += DAY_MS;
  await lake.land("orders", [orders(lake, ["d", "e"])]);
  await lake.settle();
  lake.now += 3 * DAY_MS;
  expect(await lake.settle()).toEqual([]);
  return lake;
}

const contract = requireContract("orders");
const hours = (from: number, to: number) => ({ from: NOON + from * 3_600_000, to: NOON + to * 3_600_000 });

test("a replay builds silver and everything from it again: same rows, no revision, runs recorded", async () => {
  const lake = await closedLake();
  const [before, runs] = [await tables(lake), lake.d1.rows("SELECT run_id FROM run_history").length];
  const digests = () =>
    lake.d1.rows("SELECT domain, partition_date, file_hash FROM partition_meta WHERE domain = 'orders'");
  const hashes = digests();
  const plan = await planReplay(lake.d1.binding, contract, hours(-1, 48));
  expect(plan.partitions).toMatchObject([
    { date: "2026-11-21", files: 1, rows: 4, status: "DONE" },
    { date: "2026-11-22", files: 1, rows: 2, status: "DONE" },
  ]);
  expect(plan.tables).toEqual(["silver_orders", "daily_order_revenue"]);
  expect(await lake.settle()).toEqual([]);

  await requestReplay(lake.d1.binding, contract, plan);
  const built = await lake.settle();
  expect(built.toSorted()).toEqual(
    ["daily_order_revenue 2026-11-21", "daily_order_revenue 2026-11-22", "orders 2026-11-21", "orders 2026-11-22"].map(
      (each) => `${each} committed`,
    ),
  );
  expect(await tables(lake)).toEqual(before);
  expect(digests()).toEqual(hashes);
  expect(revisions(lake)).toBe(0);
  expect(lake.d1.rows("SELECT run_id FROM run_history WHERE status = 'DONE'")).toHaveLength(runs + 4);
});

test("late data is a revision still, beside a replay and after it", async () => {
  const lake = await closedLake();
  await requestReplay(lake.d1.binding, contract, await planReplay(lake.d1.binding, contract, hours(0, 1)));
  await lake.settle();
  expect(revisions(lake)).toBe(0);
  await lake.land("orders", [orders(lake, ["late"], NOON)]);
  await requestReplay(lake.d1.binding, contract, await planReplay(lake.d1.binding, contract, hours(24, 25)));
  await lake.settle();
  const revised = lake.d1.rows(
    "SELECT domain, partition_date FROM partition_leases WHERE revisions > 0 AND domain <> 'pipeline_health'",
  );
  expect(revised).toEqual([
    { domain: "daily_order_revenue", partition_date: "2026-11-21" },
    { domain: "orders", partition_date: "2026-11-21" },
  ]);
});

test("a time takes the partitions whose files were received in it, and whose date lies in it", async () => {
  const lake = await closedLake();
  await lake.land("orders", [orders(lake, ["late"], NOON)]);
  const dates = async (from: number, to: number) =>
    (await planReplay(lake.d1.binding, contract, hours(from, to))).partitions.map(({ date }) => date);
  expect(await dates(0, 1)).toEqual(["2026-11-21"]);
  expect(await dates(96, 97)).toEqual(["2026-11-21"]);
  expect(await dates(12, 13)).toEqual(["2026-11-22"]);
  expect(await dates(200, 300)).toEqual([]);
  lake.d1.rows("INSERT INTO sealed_partitions VALUES ('orders', '2026-11-21', 'now')");
  const plan = await planReplay(lake.d1.binding, contract, hours(0, 48));
  expect([plan.partitions, plan.sealed].map((some) => some.map(({ date }) => date))).toEqual([
    ["2026-11-22"],
    ["2026-11-21"],
  ]);
});
