import { beforeAll, describe, expect, test, vi } from "vitest";
import type { LibraryCheck } from "../../../../contracts/contract.ts";
import { GROUP, parseFooter, SORTING } from "../../../../lakehouse/engine/parquet/footer.ts";
import { intField, structsField } from "../../../../lakehouse/engine/parquet/thrift.ts";
import type { Table } from "../../../../lakehouse/tables/catalog.ts";
import { formatTimestamp } from "../../../../schemas/time.ts";
import { loadParquetWasm } from "../../../../tools/build/parquet-wasm-node.ts";
import type { D1Fault } from "../../../oracle/faulty-d1.ts";
import { makeMessage, uuidAt } from "../../../oracle/frames.ts";
import { Lake, tableOf } from "../../../oracle/lake.ts";
import { AnswerLostError } from "../../../oracle/memory-bucket.ts";
import { weatherMessage } from "../../../oracle/weather.ts";
import { DuckDBOracle } from "../engine/parquet/duckdb.ts";

const NOON = Date.UTC(2026, 10, 21, 12);
const DAY = "2026-11-21";
const HOUR = 3_600_000;

beforeAll(() => loadParquetWasm());

let messages = 0;
/** A message of readings that happened a minute before it was received; equal ids are copies. */
function readings(ids: readonly string[], received = NOON): Uint8Array {
  return weatherMessage({
    messageId: uuidAt(received, ++messages),
    received: received * 1_000,
    events: ids.map((eventId) => ({ eventId, at: (NOON - 60_000) * 1_000 })),
  });
}

function order(n: number, amount: number, currency: string) {
  return {
    event_id: `e${n}`,
    order_id: `ord_00000${n}`,
    customer_id: "c1",
    event_timestamp: formatTimestamp((NOON - 60_000) * 1_000),
    status: "placed",
    currency,
    amount,
    channel: "web",
    items: [{ sku: "s", name: "n", quantity: 2, unit_price: amount }],
  };
}

function orders(...events: ReturnType<typeof order>[]): Uint8Array {
  return makeMessage({
    topic: "orders",
    messageId: uuidAt(NOON, ++messages),
    received: NOON * 1_000,
    events: events.map((event) => ({ event, extra: null, lexical: null })),
  });
}

async function weatherLake(): Promise<Lake> {
  const lake = new Lake(NOON);
  await lake.land("weather", [readings(["b", "a", "b"]), readings(["c"])]);
  await lake.plan();
  return lake;
}

const SILVER = "SELECT event_id, _message, _event FROM silver_weather";

function meta(lake: Lake, domain: string) {
  return lake.d1.rows<{ status: string; record_count: number; error_message: string | null }>(
    "SELECT status, record_count, error_message FROM partition_meta WHERE domain = ? AND partition_date = ?",
    domain,
    DAY,
  )[0];
}

function withCheck(domain: string, check: Pick<LibraryCheck, "metric" | "columns" | "values" | "layer">): Table {
  const added: LibraryCheck = {
    ...check,
    name: "added",
    unit: "rows",
    bound: { op: "mustBe", value: 0 },
    onFail: "block",
  };
  const table = tableOf(domain);
  return { ...table, checks: [...table.checks, added] };
}

test("the order that a file says its rows are in is their order: gold by its key", async () => {
  const lake = new Lake(NOON);
  await lake.land("weather", [
    readings(["z", "a", "z"], NOON + 5),
    readings(["b", "Z"], NOON - 5),
    readings(["é"], NOON - 5),
  ]);
  await lake.land("orders", [
    orders(order(3, 1, "USD"), order(1, 1, "INR")),
    orders(order(2, 1, "EUR"), order(4, 1, "GBP")),
  ]);
  await lake.settle();
  const oracle = await DuckDBOracle.open();
  const ordered = new Map<string, readonly string[]>();
  for (const [key, { bytes }] of lake.bucket.objects) {
    if (!key.endsWith(".parquet")) continue;
    const names = sortingOf(bytes);
    ordered.set(key.split("/").slice(0, 2).join("/"), names);
    if (names.length === 0) continue;
    const places = `SELECT file_row_number AS row, row_number() OVER (ORDER BY ${names.map((name) => `"${name}" ASC NULLS LAST`).join(", ")}, file_row_number) - 1 AS place
      FROM read_parquet(FILE, file_row_number = true)`;
    expect([key, await oracle.query(bytes, `SELECT count(*) AS n FROM (${places}) WHERE row <> place`)]).toEqual([
      key,
      [{ n: 0n }],
    ]);
  }
  await oracle[Symbol.asyncDispose]();
  expect(ordered.get("bronze/weather")).toEqual([]);
  expect(ordered.get("silver/weather")).toEqual([]);
  expect(ordered.get("gold/daily_order_revenue")).toEqual(tableOf("daily_order_revenue").sortedBy);
  expect(ordered.get("gold/daily_order_revenue")?.length).toBeGreaterThan(1);
});

/** The columns of `sorting_columns` of a file's first row group. */
function sortingOf(bytes: Uint8Array): string[] {
  const length = new DataView(bytes.buffer, bytes.byteOffset + bytes.length - 8).getUint32(0, true);
  const { columns, rowGroups } = parseFooter(bytes.subarray(bytes.length - 8 - length, bytes.length - 8));
  const [group] = rowGroups;
  if (group === undefined) return [];
  return structsField(group.struct, GROUP.sorting).map(
    (sorting) => columns.find(({ firstLeaf }) => firstLeaf === intField(sorting, SORTING.leaf))?.name ?? "?",
  );
}

describe("a build", () => {
  test("goes from bronze to silver, ledger and gold, and DuckDB reads the views", async () => {
    const lake = new Lake(NOON);
    await lake.land("orders", [
      orders(order(1, 10.5, "EUR"), order(2, 2.25, "EUR")),
      orders(order(3, 100, "USD"), order(1, 10.5, "EUR")),
    ]);
    expect(new Set(await lake.settle())).toEqual(
      new Set([
        `orders ${DAY} committed`,
        `silver_ledger ${DAY} committed`,
        `daily_order_revenue ${DAY} committed`,
        `pipeline_health ${DAY} committed`,
      ]),
    );
    expect(await lake.query("SELECT event_id, amount::VARCHAR AS amount FROM silver_orders")).toEqual([
      { event_id: "e1", amount: "10.50" },
      { event_id: "e2", amount: "2.25" },
      { event_id: "e3", amount: "100.00" },
    ]);
    expect(
      await lake.query("SELECT currency, orders, items, gross_revenue::VARCHAR AS revenue FROM daily_order_revenue"),
    ).toEqual([
      { currency: "EUR", orders: "2", items: "4", revenue: "12.75" },
      { currency: "USD", orders: "1", items: "2", revenue: "100.00" },
    ]);
    expect(await lake.query("SELECT topic, accepted, rejected, duplicates FROM pipeline_health")).toEqual([
      { topic: "orders", accepted: "4", rejected: "0", duplicates: "1" },
    ]);
  });

  test("writes a manifest of its partition, the pointer and the view, and leaves those of other dates alone", async () => {
    const lake = await weatherLake();
    await lake.build(tableOf("weather"), DAY);
    const put = vi.spyOn(lake.bucket, "put");
    const at = (NOON - 86_400_000) * 1_000;
    const events = [{ eventId: "x", at }];
    await lake.land("weather", [weatherMessage({ messageId: uuidAt(NOON, 99), received: NOON * 1_000, events })]);
    await lake.settle();
    const keys = put.mock.calls.map(([key]) => key).filter((key) => /^silver\/weather\/[^=]*$/.test(key));
    expect(keys).toEqual([
      expect.stringMatching(/^silver\/weather\/metadata\/keys\/2026-11-20\/.*\.keys$/),
      "silver/weather/metadata/2026-11-20-v2.json",
      "silver/weather/current.json",
      "silver/weather/views.sql",
    ]);
    expect(lake.json("silver/weather/current.json")).toEqual({
      format: 2,
      table: "silver_weather",
      version: 2,
      partition_column: "event_date",
      manifests: [
        { partition: "2026-11-20", version: 2, rows: 1, manifest: "silver/weather/metadata/2026-11-20-v2.json" },
        { partition: DAY, version: 1, rows: 3, manifest: `silver/weather/metadata/${DAY}-v1.json` },
      ],
    });
    expect(await lake.query("SELECT count(*) AS rows FROM silver_weather")).toEqual([{ rows: "4" }]);
  });

  test("notes of each file its rows, bytes and what stands in its columns, in D1 and in the manifest alike", async () => {
    const lake = await weatherLake();
    await lake.build(tableOf("weather"), DAY);
    const [live] = lake.d1.rows<{ file: string; stats: string }>("SELECT file, stats FROM data_files");
    const stats: unknown = JSON.parse(live?.stats ?? "null");
    expect(stats).toMatchObject({
      event_id: { min: "a", max: "c", nulls: 0 },
      event_date: { min: DAY, max: DAY, nulls: 0 },
    });
    // Anything may stand there.
    expect(stats).not.toHaveProperty("_extra");
    const bytes = lake.bucket.bytesOf(live?.file ?? "").byteLength;
    expect(lake.json(`silver/weather/metadata/${DAY}-v1.json`)).toEqual({
      format: 1,
      table: "silver_weather",
      partition: DAY,
      version: 1,
      rows: 3,
      files: [{ file: live?.file, kind: "data", added: 1, rows: 3, bytes, stats }],
    });
  });

  test("twice over the same bronze gives the same rows in the same order (P5): of each key the one that was stored first", async () => {
    const one = [readings(["b", "a", "b"], NOON), readings(["d"], NOON - 1_000)];
    const two = [readings(["c", "a"], NOON + 5)];
    const first = new Lake(NOON);
    await first.land("weather", one);
    await first.land("weather", two);
    await first.settle();
    const rows = await first.query(SILVER);
    expect(rows.map((row) => row["event_id"])).toEqual(["b", "a", "d", "c"]);
    first.d1.rows("UPDATE partition_meta SET status = 'PENDING' WHERE domain = 'weather'");
    expect(await first.settle()).toContain(`weather ${DAY} committed`);
    expect(await first.query(SILVER)).toEqual(rows);

    const second = new Lake(NOON);
    await second.land("weather", two);
    await second.land("weather", one);
    await second.settle();
    const inOtherOrder = await second.query(SILVER);
    expect(inOtherOrder.map((row) => row["event_id"])).toEqual(["c", "a", "b", "d"]);
    const messageOf = (all: typeof rows) => all.find((row) => row["event_id"] === "a")?.["_message"];
    expect(messageOf(inOtherOrder)).not.toEqual(messageOf(rows));
  });

  test.each(["silver", "bronze"] as const)(
    "that fails a blocking %s check publishes nothing and shows what failed (P6)",
    async (layer) => {
      const lake = await weatherLake();
      await lake.build(tableOf("weather"), DAY);
      const before = lake.json("silver/weather/current.json");
      await lake.land("weather", [readings(["d"], NOON + 1)]);
      await lake.plan();
      const strict = withCheck("weather", {
        layer,
        metric: "invalidValues",
        columns: ["event_id"],
        values: ["a", "b", "c"],
      });
      const outcome = await lake.build(strict, DAY);
      expect(outcome).toMatchObject({ kind: "failed", failureClass: "data" });
      if (outcome.kind !== "failed") throw new Error("failed");
      expect(outcome.message).toBe(
        `QualityGateError: QUALITY_GATE: silver_weather ${DAY}: ${layer} check "added" measured 1, mustBe 0. The last good version stays published.`,
      );
      expect(lake.json("silver/weather/current.json")).toEqual(before);
      expect((await lake.query(SILVER)).map((row) => row["event_id"])).toEqual(["b", "a", "c"]);
      expect(meta(lake, "weather")).toMatchObject({ status: "FAILED", error_message: outcome.message });
      const results = lake.d1.rows<{ passed: number; failing_rows: string; candidate: string }>(
        "SELECT passed, failing_rows, candidate FROM check_history WHERE run_id = ? AND check_name = 'added'",
        outcome.lease.runId,
      );
      expect(results).toEqual([
        {
          passed: 0,
          failing_rows: layer === "silver" ? "[3]" : "[4]",
          candidate: expect.stringContaining(outcome.lease.runId),
        },
      ]);
      expect(lake.bucket.bytesOf(results[0]?.candidate ?? "").byteLength).toBeGreaterThan(0);
      // The same input is not tried again; other input is.
      lake.now += HOUR;
      expect((await lake.plan()).map(({ domain }) => domain)).not.toContain("weather");
      await lake.land("weather", [readings(["e"], NOON + 2)]);
      expect(await lake.settle()).toContain(`weather ${DAY} committed`);
      expect(await lake.query("SELECT count(*)::INTEGER AS n FROM silver_weather")).toEqual([{ n: 5 }]);
    },
  );

  test("late bronze reopens the partition: silver and gold are restated, the revision is counted (P7)", async () => {
    const lake = new Lake(NOON);
    await lake.land("orders", [orders(order(1, 10, "EUR"))]);
    await lake.settle();
    await lake.land("orders", [orders(order(2, 5, "EUR"))]); // Still open: no revision.
    await lake.settle();
    lake.now += 48 * HOUR;
    await lake.land("orders", [orders(order(3, 1, "EUR"))]);
    await lake.settle();
    expect(await lake.query("SELECT orders, gross_revenue::VARCHAR AS revenue FROM daily_order_revenue")).toEqual([
      { orders: "3", revenue: "16.00" },
    ]);
    expect(
      lake.d1.rows(
        "SELECT domain, revisions FROM partition_leases WHERE partition_date = ? AND domain IN ('orders', 'daily_order_revenue') ORDER BY domain",
        DAY,
      ),
    ).toEqual([
      { domain: "daily_order_revenue", revisions: 1 },
      { domain: "orders", revisions: 1 },
    ]);
    expect(meta(lake, "orders")).toMatchObject({ status: "DONE", record_count: 3 });
  });

  test("that finds a listed file missing fails as a system failure and retries", async () => {
    const lake = await weatherLake();
    const [key = "", object] = [...lake.bucket.objects][0] ?? [];
    lake.bucket.objects.delete(key);
    expect(await lake.build(tableOf("weather"), DAY)).toMatchObject({ kind: "failed", failureClass: "system" });
    if (object !== undefined) lake.bucket.objects.set(key, object);
    lake.now += 6_000;
    expect(await lake.settle()).toContain(`weather ${DAY} committed`);
  });

  test("waits longer after each system failure in a row", async () => {
    const lake = await weatherLake();
    const wait = () => {
      const sql = "SELECT not_before FROM partition_leases WHERE domain = 'weather'";
      return (lake.d1.rows<{ not_before: number }>(sql)[0]?.not_before ?? 0) - lake.now;
    };
    const waits: number[] = [];
    for (let i = 0; i < 3; i++) {
      lake.bucket.failures.push(new Error("R2 is down"));
      await lake.build(tableOf("weather"), DAY);
      waits.push(wait());
      lake.now += wait();
      await lake.plan();
    }
    expect(waits).toEqual([5_000, 10_000, 20_000]);
  });

  test("whose commit happened though its answer was lost is committed: D1 is read back", async () => {
    const lake = await weatherLake();
    // The lease, the decisions, the progress, how far buffers are, the inputs, whether its files are folded; then the commit.
    lake.d1.faults.push(...Array.from({ length: 6 }, () => undefined), "after");
    expect(await lake.build(tableOf("weather"), DAY)).toMatchObject({ kind: "committed", rowsIn: 4, rowsOut: 3 });
    expect(lake.json("silver/weather/current.json")).toMatchObject({ version: 1 });
  });

  test("of a partition that waits for none does nothing but bring a pointer up to date that a crash left behind", async () => {
    const lake = await weatherLake();
    await lake.build(tableOf("weather"), DAY);
    const pointer = lake.bucket.bytesOf("silver/weather/current.json");
    lake.bucket.objects.delete("silver/weather/current.json");
    expect(await lake.build(tableOf("weather"), DAY)).toEqual({ kind: "not_needed" });
    expect(lake.bucket.bytesOf("silver/weather/current.json")).toEqual(pointer);
  });
});

/** One build with a fault at call number `call`; afterwards the queue's redelivery and the planner do their work. */
async function rowsAfter(inject: (lake: Lake) => void): Promise<{ rows: Record<string, unknown>[]; hit: boolean }> {
  const lake = await weatherLake();
  inject(lake);
  await lake.build(tableOf("weather"), DAY).catch(() => undefined);
  const hit = lake.d1.faults.length === 0 && lake.bucket.failures.length === 0;
  lake.d1.faults.length = 0;
  lake.bucket.failures.length = 0;
  await lake.build(tableOf("weather"), DAY); // The queue delivers the message again.
  await lake.settle();
  lake.now += 17 * 60_000;
  await lake.settle();
  expect(meta(lake, "weather")?.status).toBe("DONE");
  const pointer = lake.json("silver/weather/current.json");
  const [published] = lake.d1.rows<{ version: number }>(
    "SELECT version FROM published WHERE table_name = 'silver_weather'",
  );
  expect(pointer).toMatchObject({ version: published?.version, manifests: [{ version: published?.version }] });
  const rows = await lake.query("SELECT event_id FROM silver_weather");
  return { rows, hit };
}

describe("a build with a fault at any one call", () => {
  const expected = [{ event_id: "b" }, { event_id: "a" }, { event_id: "c" }];

  test.each<D1Fault>(["before", "after"])("of D1 (%s) ends with the right rows published once", async (fault) => {
    let calls = 0;
    for (let hit = true; hit; calls++) {
      const outcome = await rowsAfter((lake) =>
        lake.d1.faults.push(...Array.from({ length: calls }, () => undefined), fault),
      );
      expect(outcome.rows).toEqual(expected);
      ({ hit } = outcome);
    }
    expect(calls).toBeGreaterThan(5);
  });

  test.each([new Error("R2 is down"), new AnswerLostError("lost")])(
    "of R2 (%s) ends with the right rows published once",
    async (error) => {
      let calls = 0;
      for (let hit = true; hit; calls++) {
        const outcome = await rowsAfter((lake) =>
          lake.bucket.failures.push(...Array.from({ length: calls }, () => undefined), error),
        );
        expect(outcome.rows).toEqual(expected);
        ({ hit } = outcome);
      }
      expect(calls).toBeGreaterThan(5);
    },
  );
});
