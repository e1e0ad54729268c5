/** A deploy that changes what a table means has its history built again, by the code of each deploy over one lake. */
import { beforeAll, describe, expect, test } from "vitest";
import { filesAsOf } from "../../../../lakehouse/tables/files-as-of.ts";
import { backfillById } from "../../../../sql/statements/backfill-list.ts";
import { cancelBackfill, resumeBackfill } from "../../../../sql/statements/backfills.ts";
import { publishedTable } from "../../../../sql/statements/published.ts";
import { loadParquetWasm } from "../../../../tools/build/parquet-wasm-node.ts";
import { deploy } from "../../../oracle/deploys.ts";
import {
  built,
  COUNTS,
  DAY_MS,
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

describe("a deploy with a changed model", () => {
  test("builds every date again, the newest first, and readers see either all of the old or all of the new", async () => {
    const before = await filled(COUNTS);
    const lake = await deploy({ models: DOUBLED }, released(9), before);
    const old = [1, 2, 3].map((value, n) => ({ event_date: DAYS[n], value: String(value) }));
    expect(await values(lake)).toEqual(old);

    const [event] = await lake.walk();
    expect(event).toMatchObject({ event: "generation", table: "daily", rebuilds: 3, builds: 0 });
    // The newest date is built; readers, by the pointer as by the API, have the table as it was.
    const [newest] = (await lake.plan()).toReversed();
    expect(newest).toMatchObject({ domain: "daily", date: DAYS[2] });
    await lake.build(lake.table("daily"), DAYS[2] ?? "");
    expect(await lake.walk()).toEqual([]);
    expect(row(lake, "daily")).toMatchObject({ walking: 1 });
    expect(await values(lake)).toEqual(old);
    const shown = await publishedTable(lake.d1.binding, "daily");
    expect(shown?.version).toBe(row(lake, "daily")?.shown_version);
    const { files } = await filesAsOf(lake.d1.binding, lake.bucket, "daily", shown?.version ?? 0);
    expect(files.map(({ partition_date }) => partition_date)).toEqual(DAYS);

    await walked(lake);
    expect(await values(lake)).toEqual([2, 4, 6].map((value, n) => ({ event_date: DAYS[n], value: String(value) })));
    expect(row(lake, "daily")).toMatchObject({ walking: 0, shown_version: null });
    expect(stale(lake)).toEqual([]);
  });

  test("costs a build a date, and no more for the same model in other words, another check or another bound", async () => {
    const before = await filled(COUNTS);
    const words = `${header("partition: event_date\nkey: [event_date]\nmax_rows: 7\nchecks:\n  - { metric: rowCount, mustBeGreaterThan: 0, on_fail: block }")}
      -- Other words.
      SELECT event_date, count(*) AS value FROM silver_orders o GROUP BY o.event_date`;
    const same = await deploy({ models: { "sql/gold/daily.sql": words } }, released(9), before);
    expect(await walked(same)).toEqual([]);
    expect(row(same, "daily")).toMatchObject({ walking: 0 });
    const other = await deploy({ models: DOUBLED }, released(10), same);
    expect(await walked(other)).toEqual(built("daily"));
  });

  test("what reads it follows, and shows no date that was made of both", async () => {
    const models = (value: string) => ({
      "sql/gold/daily.sql": daily(value),
      "sql/gold/two.sql": lastTwo("value", "daily"),
    });
    const before = await filled(models("count(*)"));
    const old = await values(before, "two", "day, total");
    const lake = await deploy({ models: models("count(*) * 2") }, released(9), before);
    await lake.walk();
    for (const { domain, date } of (await lake.plan()).slice(1)) await lake.build(lake.table(domain), date);
    for (const { domain, date } of await lake.plan()) await lake.build(lake.table(domain), date);
    expect(lake.d1.rows("SELECT 1 FROM versions WHERE table_name = 'two'").length).toBeGreaterThan(4);
    expect(await values(lake, "two", "day, total")).toEqual(old);
    await walked(lake);
    const expected = old.map(({ day, total }) => ({ day, total: String(Number(total) * 2) }));
    expect(await values(lake, "two", "day, total")).toEqual(expected);
    expect(stale(lake)).toEqual([]);
    expect(row(lake, "two")).toMatchObject({ walking: 0, shown_version: null });
  });

  test("that is taken back before all is built: nobody saw it, and only what it had begun is built again", async () => {
    const before = await filled(COUNTS);
    const bad = await deploy({ models: DOUBLED }, released(9), before);
    await bad.walk();
    await bad.plan();
    await bad.build(bad.table("daily"), DAYS[2] ?? "");
    const again = await deploy({ models: COUNTS }, released(10), bad);
    const old = await values(again);
    expect((await walked(again)).toSorted()).toEqual(built("daily"));
    expect(await values(again)).toEqual(old);
    expect(stale(again)).toEqual([]);
  });
});

describe("a new model", () => {
  test("fills its history, shown as it grows, and so does one that reads it", async () => {
    const before = await filled({});
    const models = { ...COUNTS, "sql/gold/two.sql": lastTwo("value", "daily") };
    const lake = await deploy({ models }, released(9), before);
    const [event] = await lake.walk();
    expect(event).toMatchObject({ table: "daily", rebuilds: 0, builds: 3 });
    await walked(lake);
    expect(await values(lake)).toEqual([1, 2, 3].map((value, n) => ({ event_date: DAYS[n], value: String(value) })));
    expect(await values(lake, "two", "day, total")).toEqual([
      { day: DAYS[0], total: "1" },
      { day: DAYS[1], total: "3" },
      { day: DAYS[2], total: "5" },
    ]);
  });

  test("of one partition, and of a month", async () => {
    const before = await filled({});
    const lake = await deploy(
      {
        models: {
          "sql/gold/all_orders.sql": `${header("key: [n]\ninputs:\n  silver_orders: all")}SELECT count(*) AS n FROM silver_orders`,
          "sql/gold/monthly.sql": `${header("partition: month\nkey: [month]\ninputs:\n  silver_orders: within(month)")}SELECT date_trunc('month', event_date)::DATE AS month, count(*) AS n FROM silver_orders GROUP BY 1`,
        },
      },
      released(9),
      before,
    );
    await walked(lake);
    expect(await values(lake, "all_orders", "n")).toEqual([{ n: "6" }]);
    expect(await values(lake, "monthly", "month, n")).toEqual([{ month: "2026-11-01", n: "6" }]);
  });
});

describe("a changed contract", () => {
  test("with another key builds silver again, and what reads it follows date by date", async () => {
    const before = await filled(COUNTS);
    const lake = await deploy(
      {
        models: COUNTS,
        contract: (each) => (each.topic === "orders" ? { ...each, dedupeKey: ["order_id"] } : each),
      },
      released(9),
      before,
    );
    const done = await walked(lake);
    expect(done.filter((each) => each.startsWith("orders"))).toEqual(built("orders"));
    expect(await values(lake)).toEqual([1, 1, 1].map((value, n) => ({ event_date: DAYS[n], value: String(value) })));
    expect(stale(lake)).toEqual([]);
  });

  test("whose bronze is retired keeps its version, and says so", async () => {
    const before = await filled(COUNTS);
    before.d1.rows("INSERT INTO sealed_partitions VALUES ('orders', ?, 'now')", DAYS[0] ?? "");
    const lake = await deploy(
      { models: COUNTS, contract: (each) => (each.topic === "orders" ? { ...each, dedupeKey: ["order_id"] } : each) },
      released(9),
      before,
    );
    const [event] = await lake.walk();
    expect(event).toMatchObject({ table: "silver_orders", rebuilds: 2, sealed: 1 });
    await walked(lake);
    expect(stale(lake)).toEqual([{ table_name: "silver_orders", partition_date: DAYS[0] }]);
    expect(row(lake, "silver_orders")).toMatchObject({ walking: 0 });
  });
});

describe("two deploys at once", () => {
  test("the older one neither walks back nor builds what the newer one changed", async () => {
    const older = await filled(COUNTS);
    const newer = await deploy({ models: DOUBLED }, released(9), older);
    await walked(newer);
    const state = row(newer, "daily");
    expect(await older.walk()).toEqual([]);
    expect(row(newer, "daily")).toEqual(state);
    newer.d1.rows("UPDATE partition_meta SET status = 'PENDING' WHERE domain = 'daily'");
    for (const { domain, date } of await older.plan())
      expect(await older.build(older.table(domain), date)).toEqual({ kind: "not_needed" });
    newer.now += 120_000;
    await walked(newer);
    expect((await values(newer)).map(({ value }) => value)).toEqual(["2", "4", "6"]);
    expect(stale(newer)).toEqual([]);
  });

  test("what the older one published after the newer one spoke is found and built again", async () => {
    const older = await filled(COUNTS);
    const newer = await deploy({ models: DOUBLED }, released(9), older);
    await newer.walk();
    // Its build had begun before.
    newer.d1.rows("UPDATE versions SET generation = NULL WHERE table_name = 'daily'");
    await walked(newer);
    expect((await values(newer)).map(({ value }) => value)).toEqual(["2", "4", "6"]);
  });

  test("the older one does not build what reads a model that the newer one changed, though the newer one has no such table", async () => {
    const older = await filled({ ...COUNTS, "sql/gold/two.sql": lastTwo("value", "daily") });
    const newer = await deploy({ models: DOUBLED }, released(9), older);
    await newer.land("orders", [orders(newer, ["more"])]);
    await newer.settle();
    newer.d1.rows("UPDATE partition_meta SET status = 'PENDING' WHERE domain = 'two' RETURNING 1");
    const queued = (await older.plan()).filter(({ domain }) => domain === "two");
    expect(queued.length).toBeGreaterThan(0);
    for (const { date } of queued) expect(await older.build(older.table("two"), date)).toEqual({ kind: "not_needed" });
  });

  test("builders say what they mean before the cron does: no date of theirs is taken for an old one", async () => {
    const older = await filled(COUNTS);
    const newer = await deploy({ models: DOUBLED }, released(9), older);
    const old = await values(newer);
    await newer.land("orders", [orders(newer, ["late"])]);
    await newer.settle();
    expect(row(newer, "daily")).toMatchObject({ walking: 1 });
    expect(await values(newer)).toEqual(old);
    await walked(newer);
    expect((await values(newer)).map(({ value }) => value)).toEqual(["2", "4", "6", "2"]);
  });
});

describe("a walk that cannot end", () => {
  test("waits for another model, which is tried on what had failed", async () => {
    const before = await filled({ "sql/gold/daily.sql": daily("count(*)::DOUBLE") });
    const broken = await deploy(
      { models: { "sql/gold/daily.sql": daily("CAST(CASE WHEN count(*) = 2 THEN 'x' ELSE '1' END AS DOUBLE)") } },
      released(9),
      before,
    );
    const old = await values(broken);
    await walked(broken);
    expect(broken.d1.rows("SELECT partition_date FROM partition_meta WHERE status = 'FAILED'")).toEqual([
      { partition_date: DAYS[1] },
    ]);
    expect(row(broken, "daily")).toMatchObject({ walking: 1 });
    expect(await values(broken)).toEqual(old);
    const mended = await deploy(
      { models: { "sql/gold/daily.sql": daily("count(*)::DOUBLE + 1") } },
      released(10),
      broken,
    );
    await walked(mended);
    expect((await values(mended)).map(({ value }) => value)).toEqual([2, 3, 4]);
    expect(row(mended, "daily")).toMatchObject({ walking: 0, shown_version: null });
  });

  test("that a person cancels stays so until it is resumed", async () => {
    const before = await filled(COUNTS);
    const lake = await deploy({ models: DOUBLED }, released(9), before);
    await lake.walk();
    const id = row(lake, "daily")?.backfill_id ?? "";
    expect(await backfillById(lake.d1.binding, id)).toMatchObject({ created_by: "deploy", max_active_runs: 4 });
    await cancelBackfill(lake.d1.binding, id);
    expect(await walked(lake)).toEqual([]);
    expect(row(lake, "daily")).toMatchObject({ walking: 1, backfill_id: id });
    await resumeBackfill(lake.d1.binding, id);
    expect(await walked(lake)).toEqual(built("daily"));
  });
});

test("of more dates than are built at once the newest come first", async () => {
  const lake = await deploy({ models: {} }, released(0), START);
  for (let day = 0; day < 7; day++) {
    await lake.land("orders", [orders(lake, [`${day}`])]);
    lake.now += DAY_MS;
  }
  await lake.settle();
  const filling = await deploy({ models: COUNTS }, released(9), lake);
  await filling.walk();
  const first = await filling.plan();
  expect(first.map(({ date }) => date)).toEqual(["2026-11-19", "2026-11-20", "2026-11-21", "2026-11-22"]);
});

test("a lake from before generations is adopted: nothing is built again, and what comes next is told from it", async () => {
  const before = await filled(COUNTS);
  before.d1.rows("DELETE FROM table_generations");
  before.d1.rows("UPDATE versions SET generation = NULL");
  const lake = await deploy({ models: COUNTS }, released(9), before);
  expect(await walked(lake)).toEqual([]);
  expect(stale(lake)).toEqual([]);
  const next = await deploy({ models: DOUBLED }, released(10), lake);
  expect(await walked(next)).toEqual(built("daily"));
});
