/** Which partitions go to native builders: what the edge cannot, what is large, and never without a builder that could take it. */
import { beforeAll, describe, expect, test } from "vitest";
import type { LibraryCheck } from "../../../../../contracts/contract.ts";
import { maySend } from "../../../../../lakehouse/builds/native/routing.ts";
import { nativeRowsOf } from "../../../../../lakehouse/builds/outcome.ts";
import { planPolicy, waitOf } from "../../../../../lakehouse/builds/planning/policy.ts";
import { advance, createBackfill } from "../../../../../sql/statements/backfills.ts";
import { loadParquetWasm } from "../../../../../tools/build/parquet-wasm-node.ts";
import { Lake, tableOf } from "../../../../oracle/lake.ts";
import { NativeBuilder, nativeGateway } from "../../../../oracle/native-builder.ts";
import { landOrders, orderModel } from "../../../../oracle/order-models.ts";

beforeAll(() => loadParquetWasm());

const NOON = Date.UTC(2026, 10, 21, 12);
const DAY = "2026-11-21";
const DOMAIN = "daily_order_revenue";
const ORDERS = Array.from({ length: 30 }, (_, id) => ({ id, amount: 100 + id * 7 }));

async function opened(): Promise<{ lake: Lake; builder: NativeBuilder }> {
  const lake = new Lake(NOON, undefined, undefined, "2026-11-01T00:00:00.000Z");
  lake.d1.rows("INSERT INTO producers VALUES ('local', '2026-01-01T00:00:00Z') RETURNING 1");
  lake.d1.rows(
    `INSERT INTO api_keys (key_hash, producer, scopes, created_at)
     VALUES ('ed5a18fb8f807f996d649e379d3f35f39c543a91bdbf88c492f2ebd10d4df86c', 'local', '["*:build"]', '2026-01-01T00:00:00Z') RETURNING 1`,
  );
  return { lake, builder: new NativeBuilder((await nativeGateway(lake))()) };
}
const sent = (lake: Lake) => lake.d1.rows("SELECT domain, partition_date, reason FROM native_partitions");
const status = (lake: Lake) =>
  lake.d1.rows<{ status: string }>("SELECT status FROM partition_meta WHERE domain = ?", DOMAIN)[0]?.status;

describe("a partition with more rows than NATIVE_ROWS", () => {
  test("goes to the builder that was heard from, which builds it from then on", async () => {
    const { lake, builder } = await opened();
    expect(await builder.lease()).toMatchObject({ work: null });
    lake.nativeRows = 20;
    await landOrders(lake, ORDERS);
    await lake.settle();
    expect(sent(lake)).toEqual([
      { domain: DOMAIN, partition_date: DAY, reason: "its inputs have 30 rows, more than NATIVE_ROWS, 20" },
    ]);
    expect(status(lake)).toBe("PENDING");
    expect(await builder.all()).toMatchObject({ outcome: "published" });
    lake.nativeRows = 0;
    await landOrders(lake, [{ id: 50, amount: 1 }]);
    await lake.settle();
    expect(await builder.all()).toMatchObject({ outcome: "published" });
  });

  test("is the edge's where no builder was heard from for five minutes, or it is not larger", async () => {
    const { lake, builder } = await opened();
    await builder.lease();
    lake.now += 301_000;
    lake.nativeRows = 20;
    await landOrders(lake, ORDERS);
    await lake.settle();
    expect([status(lake), sent(lake)]).toEqual(["DONE", []]);
    const small = await opened();
    await small.builder.lease();
    small.lake.nativeRows = 30;
    await landOrders(small.lake, ORDERS);
    await small.lake.settle();
    expect([status(small.lake), sent(small.lake)]).toEqual(["DONE", []]);
  });
});

describe("a partition that was too large for the edge", () => {
  const small = async () =>
    await orderModel(
      "key: [event_date, currency]\nmax_rows: 1\n--- */\nSELECT event_date, currency, count(*) AS orders FROM silver_orders GROUP BY 1, 2",
    );

  test("goes to a builder, with the edge's run as its reason, and without a retry", async () => {
    const { lake, builder } = await opened();
    await builder.lease();
    await landOrders(lake, ORDERS);
    for (const request of await lake.plan()) await lake.build(tableOf(request.domain), request.date);
    await lake.plan();
    const outcome = await lake.build(await small(), DAY);
    expect(outcome).toMatchObject({
      kind: "sent",
      message: expect.stringMatching(/^ModelTooLargeError: .* A native builder builds it/),
    });
    expect(sent(lake)).toMatchObject([{ domain: DOMAIN, reason: "it is more than the edge holds" }]);
    expect(lake.d1.rows("SELECT status, retry_count FROM partition_meta WHERE domain = ?", DOMAIN)).toEqual([
      { status: "PENDING", retry_count: 0 },
    ]);
    expect(lake.d1.rows("SELECT status FROM ended_runs WHERE domain = ?", DOMAIN)).toEqual([{ status: "FAILED" }]);
    expect(await builder.all()).toMatchObject({ outcome: "published" });
  });

  test("fails where there is no builder", async () => {
    const { lake } = await opened();
    await landOrders(lake, ORDERS);
    for (const request of await lake.plan()) await lake.build(tableOf(request.domain), request.date);
    await lake.plan();
    expect(await lake.build(await small(), DAY)).toMatchObject({ kind: "failed", failureClass: "data" });
    expect(sent(lake)).toEqual([]);
  });

  test("is never sent where the front matter says edge, or a check has a pattern", async () => {
    const text = (engine: string) =>
      `key: [event_date]\nengine: ${engine}\n--- */\nSELECT event_date, count(*) AS orders FROM silver_orders GROUP BY 1`;
    expect(maySend(await orderModel(text("auto")))).toBe(true);
    expect(maySend(await orderModel(text("edge")))).toBe(false);
    // All of its partitions are a builder's anyway.
    expect(maySend(await orderModel(text("native")))).toBe(false);
    const pattern: LibraryCheck = {
      name: "p",
      layer: "gold",
      metric: "invalidValues",
      columns: ["event_date"],
      values: [],
      pattern: "^2",
      unit: "rows",
      bound: { op: "mustBe", value: 0 },
      onFail: "warn",
    };
    expect(maySend(await orderModel(text("auto"), [pattern]))).toBe(false);
    expect(maySend(tableOf("orders"))).toBe(false);
  });
});

test("NATIVE_ROWS: a number of rows; 0, and what is none, is never", () => {
  expect(["0", "1000000", "-1", "1.5", "many", ""].map(nativeRowsOf)).toEqual([0, 1_000_000, 0, 0, 0, 0]);
});

test("native tables wait an hour while they are open, and are built at closing; sent partitions as before", async () => {
  const native = await orderModel(
    "key: [event_date]\nengine: native\n--- */\nSELECT event_date, count(*) AS orders FROM silver_orders GROUP BY 1",
  );
  expect(waitOf(native)).toBe(3_600_000);
  expect(waitOf(tableOf(DOMAIN))).toBe(0);
  expect(planPolicy.isNative(DOMAIN, DAY, false)).toBe(false);
  expect(planPolicy.isNative(DOMAIN, DAY, true)).toBe(true);
});

test("what waits for a builder that does not come holds no backfill back", async () => {
  const { lake } = await opened();
  lake.d1.rows(
    "INSERT INTO native_partitions VALUES (?, ?, 'a test', '2026-11-21T00:00:00Z') RETURNING 1",
    DOMAIN,
    DAY,
  );
  await landOrders(lake, ORDERS);
  await lake.settle();
  expect(status(lake)).toBe("PENDING");
  lake.now += 3_600_000;
  const db = lake.d1.binding;
  const partitions = ["2026-11-01", "2026-11-02", "2026-11-03"].map((partition_date) => ({
    ...{ domain: "weather", partition_date, status: null, processed_at: null, sealed: false },
  }));
  const row = {
    backfill_id: "b1",
    domain: "weather",
    layer: "silver",
    from_date: "2026-11-01",
    to_date: "2026-11-03",
  } as const;
  await createBackfill(db, { ...row, reprocess: "none", max_active_runs: 3, created_by: "k" }, partitions);
  const started = async (native: { all: string[]; sent: string[] }) => {
    await advance(db, ["b1"], { behindMs: 30_000, native });
    return lake.d1.rows<{ n: number }>("SELECT count(*) AS n FROM backfill_partitions WHERE state = 'STARTED'")[0]?.n;
  };
  expect(await started({ all: [], sent: [] })).toBe(1);
  expect(await started({ all: [], sent: [DOMAIN] })).toBe(3);
});
