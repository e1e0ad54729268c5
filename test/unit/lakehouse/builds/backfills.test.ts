import { beforeAll, describe, expect, test } from "vitest";
import { type BackfillRequest, isWanted, planBackfill } from "../../../../lakehouse/builds/planning/backfills.ts";
import { formatTimestamp } from "../../../../schemas/time.ts";
import { backfillById, backfillPartitions } from "../../../../sql/statements/backfill-list.ts";
import { cancelBackfill, createBackfill, resumeBackfill } from "../../../../sql/statements/backfills.ts";
import { acquireLease, failRun } from "../../../../sql/statements/leases.ts";
import { loadParquetWasm } from "../../../../tools/build/parquet-wasm-node.ts";
import { makeMessage, uuidAt } from "../../../oracle/frames.ts";
import { Lake, tableOf } from "../../../oracle/lake.ts";
import { weatherMessage } from "../../../oracle/weather.ts";

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
  // The checks that waited for the closing.
  await lake.settle();
  expect(await lake.settle()).toEqual([]);
  return lake;
}

const request = (changes: Partial<BackfillRequest> = {}): BackfillRequest => ({
  ...{ table: tableOf("orders"), layer: "silver", reprocess: "completed" },
  ...{ from: "2026-11-20", to: "2026-11-23" },
  ...changes,
});

let backfills = 0;
async function backfill(lake: Lake, changes: Partial<BackfillRequest> = {}, maxActive = 4): Promise<string> {
  const wanted = request(changes);
  const plan = await planBackfill(lake.d1.binding, wanted);
  const { layer, from, to, reprocess, table } = wanted;
  const id = `b${String(++backfills).padStart(4, "0")}`;
  const row = { backfill_id: id, domain: table.domain, layer, from_date: from, to_date: to, reprocess };
  const rest = { max_active_runs: maxActive, created_by: "key_1" };
  await createBackfill(lake.d1.binding, { ...row, ...rest }, plan.partitions);
  return id;
}

async function countsOf(lake: Lake, id: string): Promise<unknown> {
  return (await backfillById(lake.d1.binding, id))?.counts;
}

const planned = async (lake: Lake, changes: Partial<BackfillRequest> = {}) =>
  (await planBackfill(lake.d1.binding, request(changes))).partitions.map(
    (each) => `${each.domain} ${each.partition_date}`,
  );
const status = (lake: Lake, date: string, domain = "orders") =>
  lake.d1.rows<{ status: string }>(
    "SELECT status FROM partition_meta WHERE domain = ? AND partition_date = ?",
    domain,
    date,
  )[0]?.status;

describe("a backfill", () => {
  test("of silver builds it and everything from it again: same rows, no revision, runs recorded", async () => {
    const lake = await closedLake();
    const [before, runs] = [await tables(lake), lake.d1.rows("SELECT run_id FROM run_history").length];
    const digests = () =>
      lake.d1.rows<{ record_count: number }>(
        "SELECT domain, partition_date, file_hash, record_count FROM partition_meta WHERE domain = 'orders'",
      );
    const hashes = digests();
    expect(hashes.map((row) => row.record_count)).toEqual([3, 2]);
    const plan = await planBackfill(lake.d1.binding, request());
    expect([plan.tables, plan.followers]).toEqual([["silver_orders"], ["daily_order_revenue"]]);
    expect(await lake.settle()).toEqual([]);

    const id = await backfill(lake);
    const built = await lake.settle();
    expect(built.toSorted()).toEqual(
      [
        "daily_order_revenue 2026-11-21",
        "daily_order_revenue 2026-11-22",
        "orders 2026-11-21",
        "orders 2026-11-22",
      ].map((each) => `${each} committed`),
    );
    expect(built.filter((each) => each.startsWith("orders"))).toEqual(
      ["orders 2026-11-22", "orders 2026-11-21"].map((each) => `${each} committed`).toSorted(),
    );
    expect(await tables(lake)).toEqual(before);
    expect(digests()).toEqual(hashes);
    expect(revisions(lake)).toBe(0);
    expect(lake.d1.rows("SELECT run_id FROM run_history WHERE status = 'DONE'")).toHaveLength(runs + 4);
    expect(await countsOf(lake, id)).toEqual({ DONE: 2 });
    expect((await backfillById(lake.d1.binding, id))?.ended_at).not.toBeNull();
  });

  test("of gold leaves silver as it is", async () => {
    const lake = await closedLake();
    const id = await backfill(lake, { layer: "gold", to: "2026-11-21" });
    expect(await lake.settle()).toEqual(["daily_order_revenue 2026-11-21 committed"]);
    expect(await countsOf(lake, id)).toEqual({ DONE: 1 });
    const gold = tableOf("daily_order_revenue");
    expect(await planned(lake, { table: gold, layer: "gold", to: "2026-11-21" })).toEqual([
      "daily_order_revenue 2026-11-21",
    ]);
    await expect(planned(lake, { table: gold })).rejects.toThrow(/daily_order_revenue is a gold table.*silver_orders/);
    await expect(planned(lake, { table: tableOf("weather"), layer: "gold" })).rejects.toThrow(/no gold table reads/);
  });

  test("late data is a revision still, beside it and after it", async () => {
    const lake = await closedLake();
    await backfill(lake, { to: "2026-11-21" });
    await lake.settle();
    expect(revisions(lake)).toBe(0);
    await lake.land("orders", [orders(lake, ["late"], NOON)]);
    await backfill(lake, { from: "2026-11-22" });
    await lake.settle();
    const revised = lake.d1.rows(
      "SELECT domain, partition_date FROM partition_leases WHERE revisions > 0 AND domain <> 'pipeline_health'",
    );
    expect(revised).toEqual([
      { domain: "daily_order_revenue", partition_date: "2026-11-21" },
      { domain: "orders", partition_date: "2026-11-21" },
    ]);
  });

  test("takes what `reprocess` asks for; refuses what cannot be built", async () => {
    const states = [null, "PENDING", "DONE", "FAILED", "DEAD", "RETRYING", "LATE"].map((each) => ({
      status: each,
      processed_at: each === null || each === "PENDING" ? null : "2026-11-21T00:00:00.000Z",
    }));
    const taken = (reprocess: "none" | "failed" | "completed") =>
      states.filter((each) => isWanted(each, reprocess)).map((each) => each.status);
    expect(taken("none")).toEqual([null, "PENDING"]);
    expect(taken("failed")).toEqual([null, "PENDING", "FAILED", "DEAD", "RETRYING"]);
    expect(taken("completed")).toHaveLength(states.length);
    // A first build that failed is no reason to try the same again, unless somebody asks for it.
    expect(isWanted({ status: "FAILED", processed_at: null }, "none")).toBe(false);

    const lake = await closedLake();
    lake.d1.rows("INSERT INTO sealed_partitions VALUES ('orders', '2026-11-21', 'now')");
    const plan = await planBackfill(lake.d1.binding, request());
    expect([plan.partitions, plan.sealed].map((some) => some.map((each) => each.partition_date))).toEqual([
      ["2026-11-22"],
      ["2026-11-21"],
    ]);
    expect(await planned(lake, { reprocess: "none" })).toEqual([]);
    expect(await planned(lake, { from: "2026-11-23", to: "2026-11-30" })).toEqual([]);
  });
});

describe("a backfill beside others", () => {
  /** A lake of five dates, all built and closed. */
  async function fiveDates(): Promise<Lake> {
    const lake = new Lake(NOON);
    for (let day = 0; day < 5; day++) {
      await lake.land("orders", [orders(lake, [`d${day}`])]);
      lake.now += DAY_MS;
    }
    lake.now += 3 * DAY_MS;
    await lake.settle();
    expect(await lake.settle()).toEqual([]);
    return lake;
  }
  const YEAR = { from: "2026-01-01", to: "2026-12-31" };
  const orderBuilds = (queued: readonly { domain: string; date: string }[]) =>
    queued.filter(({ domain }) => domain === "orders").map(({ date }) => date);

  test("starts at most so many at a time, the newest first, however often it is planned", async () => {
    const lake = await fiveDates();
    const id = await backfill(lake, YEAR, 2);
    const first = await Promise.all([lake.plan(), lake.plan()]);
    expect(new Set(orderBuilds(first.flat()))).toEqual(new Set(["2026-11-25", "2026-11-24"]));
    expect(orderBuilds(await lake.plan())).toEqual([]);
    await lake.build(tableOf("orders"), "2026-11-25");
    lake.now += 1;
    expect(orderBuilds(await lake.plan())).toEqual(["2026-11-23"]);
    lake.now += 61_000;
    await lake.settle();
    expect(await countsOf(lake, id)).toEqual({ DONE: 5 });
  });

  test("only one at a time while the day's work waits, and behind it in the queue", async () => {
    const lake = await fiveDates();
    await lake.land("weather", [readings(lake)]);
    const queued = await lake.plan();
    expect(queued.map(({ domain }) => domain)).toContain("weather");
    await backfill(lake, YEAR, 3);
    // No builder came: the message of the day's build is older than half a minute.
    lake.now += 31_000;
    expect(orderBuilds(await lake.plan())).toEqual(["2026-11-25"]);
    expect(orderBuilds(await lake.plan())).toEqual([]);
    for (const { domain, date } of queued) await lake.build(tableOf(domain), date);
    lake.now += 1_000;
    const both = await lake.land("weather", [readings(lake)]).then(() => lake.plan());
    expect(both.at(0)?.domain).not.toBe("orders");
    expect(orderBuilds(both)).toEqual(["2026-11-24", "2026-11-23"].toSorted());
  });

  test("a partition that is being built now is built once more when that has ended", async () => {
    const lake = await fiveDates();
    lake.d1.rows(
      "UPDATE partition_meta SET status = 'PENDING' WHERE domain = 'orders' AND partition_date = '2026-11-25'",
    );
    await lake.plan();
    const run = await startRun(lake, "2026-11-25");
    const id = await backfill(lake, { from: "2026-11-25", to: "2026-11-25" });
    await lake.plan();
    expect(await countsOf(lake, id)).toEqual({ WAITING: 1 });
    await run.end();
    lake.now += 1_000;
    expect(orderBuilds(await lake.plan())).toEqual(["2026-11-25"]);
    // The message is lost: another is sent.
    lake.now += 61_000;
    await lake.settle();
    expect(await countsOf(lake, id)).toEqual({ DONE: 1 });
  });

  test("FAILED and DEAD begin again with all retries; what fails again is told, and resumed", async () => {
    const lake = await fiveDates();
    const file =
      lake.d1.rows<{ file: string }>("SELECT file FROM bronze_file_dates WHERE partition_date = '2026-11-23'")[0]
        ?.file ?? "";
    const bytes = lake.bucket.objects.get(file);
    lake.bucket.objects.delete(file);
    lake.d1.rows(
      "UPDATE partition_meta SET status = 'DEAD', retry_count = 5 WHERE domain = 'orders' AND partition_date = '2026-11-23'",
    );
    lake.d1.rows("UPDATE partition_leases SET not_before = ? WHERE partition_date = '2026-11-23'", lake.now + DAY_MS);
    expect(await lake.settle()).toEqual([]);
    const id = await backfill(lake, { ...YEAR, reprocess: "failed" });
    expect((await backfillPartitions(lake.d1.binding, id, ["WAITING"], 9)).map((each) => each.partition_date)).toEqual([
      "2026-11-23",
    ]);
    for (let tick = 0; tick < 40 && status(lake, "2026-11-23") !== "DEAD" ? true : tick < 2; tick++) {
      for (const { domain, date } of await lake.plan()) await lake.build(tableOf(domain), date);
      lake.now += 16 * 60_000;
    }
    await lake.plan();
    expect(await countsOf(lake, id)).toEqual({ FAILED: 1 });
    const [failed] = await backfillPartitions(lake.d1.binding, id, ["FAILED"], 9);
    expect(failed).toMatchObject({ status: "DEAD", error_message: expect.stringContaining("MissingObjectError") });

    if (bytes !== undefined) lake.bucket.objects.set(file, bytes);
    expect(await resumeBackfill(lake.d1.binding, id)).toBe(1);
    await lake.settle();
    expect([await countsOf(lake, id), status(lake, "2026-11-23")]).toEqual([{ DONE: 1 }, "DONE"]);
  });

  test("cancelled, what is under way ends and nothing more begins; resumed, it goes on", async () => {
    const lake = await fiveDates();
    const id = await backfill(lake, YEAR, 2);
    await lake.plan();
    expect(await cancelBackfill(lake.d1.binding, id)).toBe(true);
    expect(await cancelBackfill(lake.d1.binding, id)).toBe(false);
    expect(await countsOf(lake, id)).toEqual({ STARTED: 2, CANCELLED: 3 });
    // The messages are lost: others are sent.
    lake.now += 61_000;
    expect((await lake.settle()).filter((each) => each.startsWith("orders"))).toHaveLength(2);
    expect(await countsOf(lake, id)).toEqual({ DONE: 2, CANCELLED: 3 });
    expect((await backfillById(lake.d1.binding, id))?.ended_at).not.toBeNull();
    expect(await resumeBackfill(lake.d1.binding, id)).toBe(3);
    await lake.settle();
    expect(await countsOf(lake, id)).toEqual({ DONE: 5 });
    expect(await resumeBackfill(lake.d1.binding, id)).toBe(0);
  });

  test("what was never built, and was built meanwhile, is done without another build", async () => {
    const lake = new Lake(NOON);
    await lake.land("orders", [orders(lake, ["a"])]);
    const id = await backfill(lake, { ...YEAR, reprocess: "none" });
    expect(await countsOf(lake, id)).toEqual({ WAITING: 1 });
    lake.now += 1_000;
    const built = await lake.settle();
    expect(built.filter((each) => each.startsWith("orders"))).toHaveLength(1);
    expect(await countsOf(lake, id)).toEqual({ DONE: 1 });
  });
});

describe("the statements of operators", () => {
  test("a deleted row comes back as PENDING; its fence and what is published stay; the rows are the same, and no revision", async () => {
    const lake = await closedLake();
    const before = await tables(lake);
    const fences = () =>
      lake.d1.rows<{ fence: number }>(
        "SELECT fence FROM partition_leases WHERE domain = 'orders' ORDER BY partition_date",
      );
    const [fence] = fences();
    lake.d1.rows(
      "DELETE FROM partition_meta WHERE domain = 'orders' AND partition_date BETWEEN '2026-11-20' AND '2026-11-21'",
    );
    expect(status(lake, "2026-11-21")).toBeUndefined();
    expect(await tables(lake)).toEqual(before);
    const queued = await lake.plan();
    expect(queued).toMatchObject([{ domain: "orders", date: "2026-11-21" }]);
    expect([status(lake, "2026-11-21"), fences()[0]]).toEqual(["PENDING", fence]);
    const built: string[] = [];
    for (const { domain, date } of queued)
      built.push(`${domain} ${date} ${(await lake.build(tableOf(domain), date)).kind}`);
    built.push(...(await lake.settle()));
    expect(built).toEqual(["orders 2026-11-21 committed", "daily_order_revenue 2026-11-21 committed"]);
    expect(await tables(lake)).toEqual(before);
    expect([revisions(lake), fences()[0]?.fence]).toEqual([0, (fence?.fence ?? 0) + 1]);
    // Nothing of it is left over: it stays at rest.
    expect(await lake.settle()).toEqual([]);
  });

  test("a row that is deleted while its partition is built comes back, too", async () => {
    const lake = await closedLake();
    lake.d1.rows(
      "UPDATE partition_meta SET status = 'PENDING', retry_count = 0 WHERE domain = 'orders' AND partition_date = '2026-11-21'",
    );
    await lake.plan();
    const run = await startRun(lake, "2026-11-21");
    lake.d1.rows("DELETE FROM partition_meta WHERE domain = 'orders'");
    await run.end();
    lake.now += 61_000;
    const built = await lake.settle();
    expect(built.filter((each) => each.startsWith("orders")).sort()).toEqual([
      "orders 2026-11-21 committed",
      "orders 2026-11-22 committed",
    ]);
    expect([status(lake, "2026-11-21"), revisions(lake)]).toEqual(["DONE", 0]);
  });

  test("UPDATE partition_meta SET status = 'PENDING', verbatim, of DEAD partitions too: at once, with all retries", async () => {
    const lake = await closedLake();
    lake.d1.rows("UPDATE partition_meta SET status = 'DEAD', retry_count = 5 WHERE domain = 'orders'");
    lake.d1.rows("UPDATE partition_leases SET not_before = ?", lake.now + DAY_MS);
    lake.d1.rows(
      "UPDATE partition_meta SET status = 'PENDING' WHERE domain = 'orders' AND partition_date = '2026-11-22'",
    );
    expect(
      lake.d1.rows("SELECT retry_count FROM partition_meta WHERE domain = 'orders' AND partition_date = '2026-11-22'"),
    ).toEqual([{ retry_count: 0 }]);
    lake.d1.rows(
      "UPDATE partition_meta SET status = 'PENDING', retry_count = 0 WHERE domain = 'orders' AND partition_date BETWEEN '2026-11-10' AND '2026-11-21'",
    );
    expect((await lake.settle()).filter((each) => each.startsWith("orders"))).toHaveLength(2);
  });
});

/** A run that holds the lease, and ends when it is told to. */
async function startRun(lake: Lake, date: string): Promise<{ end(): Promise<void> }> {
  const lease = await acquireLease(lake.d1.binding, {
    ...{ domain: "orders", date, runId: `held-${date}` },
    ...{ nonce: null, leaseMs: 16 * 60_000 },
  });
  if (lease === undefined) throw new Error("the partition does not wait for a build");
  return {
    async end() {
      const failure = { failureClass: "system", message: "gone", backoffMs: 0 } as const;
      await lake.d1.binding.batch(failRun(lake.d1.binding, lease, failure));
    },
  };
}

function readings(lake: Lake): Uint8Array {
  return weatherMessage({
    messageId: uuidAt(lake.now, ++messages),
    received: lake.now * 1_000,
    events: [{ eventId: `w${messages}`, at: (lake.now - 60_000) * 1_000 }],
  });
}
