/** What deploys may do beside changing a model: take one away and bring it back, read less, build what died; and rollbacks meanwhile. */
import { beforeAll, describe, expect, test } from "vitest";
import { rollBackTable } from "../../../../lakehouse/builds/rollback.ts";
import { releasePins } from "../../../../sql/statements/rollbacks.ts";
import { loadParquetWasm } from "../../../../tools/build/parquet-wasm-node.ts";
import { deploy } from "../../../oracle/deploys.ts";
import type { Lake } from "../../../oracle/lake.ts";
import {
  built,
  COUNTS,
  DAYS,
  DOUBLED,
  daily,
  filled,
  header,
  lastTwo,
  orders,
  released,
  row,
  START,
  stale,
  values,
  walked,
} from "../../../oracle/order-days.ts";

beforeAll(() => loadParquetWasm());

const open = (lake: Lake) => lake.d1.rows("SELECT backfill_id FROM backfills WHERE ended_at IS NULL");
const counts = async (lake: Lake) => (await values(lake)).map(({ value }) => value);

describe("a model that is removed", () => {
  test("and comes back has what came in meanwhile, of new dates and of old ones", async () => {
    const before = await filled(COUNTS);
    const without = await deploy({ models: {} }, released(9), before);
    await without.land("orders", [orders(without, ["new 1", "new 2"])]);
    without.now -= 3 * 86_400_000;
    await without.land("orders", [orders(without, ["old"])]);
    without.now += 3 * 86_400_000;
    await walked(without);
    expect(await counts(without)).toEqual(["1", "2", "3"]);
    const again = await deploy({ models: COUNTS }, released(10), without);
    await walked(again);
    expect(await counts(again)).toEqual(["2", "2", "3", "2"]);
    expect(stale(again)).toEqual([]);
    expect(row(again, "daily")).toMatchObject({ walking: 0, shown_version: null });
  });

  test("while its history is built leaves no backfill open, and keeps readers at what they had; another that comes back goes on", async () => {
    const before = await filled(COUNTS);
    const walking = await deploy({ models: DOUBLED }, released(8), before);
    await walking.walk();
    const [first] = await walking.plan();
    await walking.build(walking.table("daily"), first?.date ?? "");
    const without = await deploy({ models: {} }, released(9), walking);
    await walked(without);
    expect(open(without)).toEqual([]);
    expect(row(without, "daily")).toMatchObject({ walking: 0, backfill_id: null });
    expect(await counts(without)).toEqual(["1", "2", "3"]);
    // Nothing that it left in the queue makes backfills of others wait.
    expect(without.d1.rows("SELECT 1 FROM partition_leases WHERE domain = 'daily' AND queued_at > 0")).toEqual([]);
    const again = await deploy({ models: DOUBLED }, released(10), without);
    await walked(again);
    expect(await counts(again)).toEqual(["2", "4", "6"]);
    expect(row(again, "daily")).toMatchObject({ walking: 0, shown_version: null });
  });

  test("is built by no older deploy, and nobody takes what a newer deploy has for gone", async () => {
    const before = await filled(COUNTS);
    const without = await deploy({ models: {} }, released(9), before);
    await walked(without);
    before.d1.rows("UPDATE partition_meta SET status = 'PENDING' WHERE domain = 'daily'");
    expect(await before.walk()).toEqual([]);
    expect(await before.build(before.table("daily"), DAYS[0] ?? "")).toEqual({ kind: "not_needed" });
    const newer = await deploy({ models: COUNTS }, released(10), without);
    await walked(newer);
    const state = row(newer, "daily");
    await without.walk();
    expect(row(without, "daily")).toEqual(state);
  });

  test("that is a topic's silver, and comes back, has nothing to be built again", async () => {
    const before = await filled({});
    before.d1.rows("UPDATE table_generations SET content = '' WHERE table_name = 'silver_orders'");
    expect(await walked(before)).toEqual([]);
    expect(row(before, "silver_orders")).toMatchObject({ walking: 0 });
  });
});

test("a deploy that takes back one which read less builds what that one was not told of", async () => {
  const same = `${header("partition: day\nkey: [day]")}SELECT event_date AS day, count(*)::BIGINT AS total FROM silver_orders GROUP BY 1`;
  const two = { "sql/gold/two.sql": lastTwo("1", "silver_orders") };
  const before = await filled(two);
  const less = await deploy({ models: { "sql/gold/two.sql": same } }, released(9), before);
  await less.walk();
  const now = less.now;
  less.now = START;
  await less.land("orders", [orders(less, ["late"])]);
  less.now = now;
  less.d1.rows(
    "UPDATE partition_meta SET status = 'PENDING' WHERE domain = 'orders' AND partition_date = ?",
    DAYS[0] ?? "",
  );
  expect(await less.build(less.table("orders"), DAYS[0] ?? "")).toMatchObject({ kind: "committed" });
  const again = await deploy({ models: two }, released(10), less);
  await walked(again);
  expect((await values(again, "two", "day, total")).map(({ total }) => total)).toEqual(["2", "4", "5"]);
});

test("what used up its retries is tried again by a deploy that mends it", async () => {
  const before = await filled(COUNTS);
  const bad = await deploy({ models: DOUBLED }, released(9), before);
  await bad.walk();
  await bad.plan();
  bad.d1.rows("UPDATE partition_meta SET status = 'DEAD' WHERE domain = 'daily'");
  await walked(bad);
  expect(row(bad, "daily")).toMatchObject({ walking: 1 });
  const mended = await deploy({ models: { "sql/gold/daily.sql": daily("count(*) * 3") } }, released(10), bad);
  await walked(mended);
  expect(await counts(mended)).toEqual(["3", "6", "9"]);
});

test("a date that is rolled back while a deploy builds its table again holds up no other, whether it waits or has begun", async () => {
  const before = await filled(COUNTS);
  const lake = await deploy({ models: DOUBLED }, released(9), before);
  await lake.walk();
  const roll = async (date = "") => {
    const [first] = lake.d1.rows<{ version: number }>(
      "SELECT min(version) AS version FROM versions WHERE table_name = 'daily' AND partition_date = ?",
      date,
    );
    const deps = { db: lake.d1.binding, bucket: lake.bucket, newRunId: () => `roll-${date}` };
    await rollBackTable(deps, lake.table("daily"), { version: first?.version ?? 0, date, reason: "a test" });
  };
  await roll(DAYS[0]);
  const begun = await lake.plan();
  expect(begun).toContainEqual(expect.objectContaining({ date: DAYS[1] }));
  await roll(DAYS[1]);
  expect((await walked(lake)).filter((each) => each.endsWith("committed"))).toEqual(built("daily", DAYS.slice(2)));
  expect(open(lake)).toEqual([]);
  expect(row(lake, "daily")).toMatchObject({ walking: 0, shown_version: null });
  // Released, they follow by themselves.
  await releasePins(lake.d1.binding, "daily", null);
  await walked(lake);
  expect(await counts(lake)).toEqual(["2", "4", "6"]);
  expect(stale(lake)).toEqual([]);
});

describe("a model whose partitions are of another length from now on", () => {
  const WHOLE = {
    "sql/gold/daily.sql": `${header("key: [value]\ninputs:\n  silver_orders: all\nchecks:\n  - { metric: rowCount, mustBeGreaterThan: 0, on_fail: block }")}SELECT count(*) AS value FROM silver_orders`,
  };
  const monthly = (more = "") =>
    `${header("partition: month\nkey: [month]\ninputs:\n  silver_orders: within(month)\nchecks:\n  - { metric: rowCount, mustBeGreaterThan: 0, on_fail: block }")}SELECT date_trunc('month', event_date)::DATE AS month, count(*) AS value${more} FROM silver_orders GROUP BY 1`;
  const NEWEST = {
    "sql/gold/newest.sql": `${header("key: [value]\ninputs:\n  daily: latest")}SELECT value FROM daily`,
    "sql/gold/everything.sql": `${header("key: [value]\ninputs:\n  daily: all")}SELECT sum(value)::BIGINT AS value FROM daily`,
  };
  const shown = async (lake: Lake, table: string) => (await values(lake, table, "value")).map(({ value }) => value);

  test("one in place of days: each row is there once, and whoever reads the newest partition reads it", async () => {
    const before = await filled(COUNTS);
    const lake = await deploy({ models: { ...WHOLE, ...NEWEST } }, released(9), before);
    await walked(lake);
    expect(await shown(lake, "daily")).toEqual(["6"]);
    expect(await shown(lake, "newest")).toEqual(["6"]);
    expect(await shown(lake, "everything")).toEqual(["6"]);
    expect(row(lake, "daily")).toMatchObject({ walking: 0, shown_version: null });
    // And days in place of one again.
    const back = await deploy({ models: { ...COUNTS, ...NEWEST } }, released(10), lake);
    await walked(back);
    expect(await counts(back)).toEqual(["1", "2", "3"]);
    expect(await shown(back, "newest")).toEqual(["3"]);
    expect(await shown(back, "everything")).toEqual(["6"]);
  });

  test("a month in place of days, of class merge", async () => {
    const before = await filled(COUNTS);
    const lake = await deploy({ models: { "sql/gold/daily.sql": monthly(), ...NEWEST } }, released(9), before);
    await walked(lake);
    expect(await shown(lake, "daily")).toEqual(["6"]);
    expect(await shown(lake, "newest")).toEqual(["6"]);
    expect(row(lake, "daily")).toMatchObject({ walking: 0, shown_version: null });
  });
});
