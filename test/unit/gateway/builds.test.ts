/** What keys see of builds: those of the topics that they may read, and of no others. */
import { beforeEach, expect, test } from "vitest";
import { forgetBackfills } from "../../../sql/statements/backfills.ts";
import { addKey, bearer, createHarness, type Harness } from "./harness.ts";
import { fillCatalog } from "./openapi/builds-cases.ts";

let harness: Harness;
beforeEach(() => {
  harness = createHarness();
  fillCatalog(harness);
  addKey(harness.db, "reader", ["orders:read"]);
  addKey(harness.db, "operator", ["orders:read", "orders:admin"]);
});

interface Answered {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: an answer is whatever came; each test says what it expects of it.
  readonly body: any;
}

async function get(path: string, key = "reader"): Promise<Answered> {
  const response = await harness.bare(path, { method: "GET", headers: { authorization: bearer(key) } });
  return { status: response.status, body: JSON.parse(await response.text()) };
}

async function post(path: string, body: object, key: string): Promise<Answered> {
  const response = await harness.post(path, body, { authorization: bearer(key) });
  return { status: response.status, body: JSON.parse(await response.text()) };
}

test("lists tell of the key's topics, and gold is for keys of all", async () => {
  const tables = async (path: string, member: string, key?: string) => {
    const rows: { table: string }[] = (await get(path, key)).body[member];
    return [...new Set(rows.map(({ table }) => table))];
  };
  expect(await tables("/v1/partitions", "partitions")).toEqual(["silver_orders"]);
  expect((await get("/v1/partitions")).body.counts).toEqual({ DONE: 1, FAILED: 1 });
  expect(await tables("/v1/runs", "runs")).toEqual(["silver_orders"]);
  expect(await tables("/v1/quality", "checks")).toEqual(["silver_orders"]);
  addKey(harness.db, "all", ["*:read"]);
  expect(await tables("/v1/partitions", "partitions", "all")).toEqual([
    "silver_orders",
    "silver_weather",
    "daily_order_revenue",
  ]);
  for (const path of [
    "/v1/partitions?table=weather",
    "/v1/runs?table=daily_order_revenue",
    "/v1/quality?table=weather",
  ]) {
    expect((await get(path)).body.code).toBe("FORBIDDEN");
  }
  expect((await get("/v1/partitions/daily_order_revenue/2026-11-19")).status).toBe(403);
  // A topic's name is its silver table's.
  expect((await get("/v1/partitions/orders/2026-11-19")).body.table).toBe("silver_orders");
});

test("checks that wait for the closing are told with the time at which they are judged, until they are", async () => {
  const { sqlite } = harness.db;
  const today = new Date().toISOString().slice(0, 10);
  sqlite.exec(`
    INSERT INTO partition_meta (domain, partition_date, status) VALUES ('orders', '${today}', 'DONE'), ('weather', '${today}', 'DONE');
    INSERT INTO partition_leases (domain, partition_date, awaits_closing) VALUES ('orders', '${today}', 1), ('weather', '${today}', 1);
    INSERT INTO partition_inputs (domain, partition_date, version, built_version) VALUES ('orders', '${today}', 1, 1);`);
  const judged_at = `${new Date(Date.parse(today) + 25 * 3_600_000 + 120_000).toISOString().slice(0, -5)}Z`;
  const waiting = [
    {
      ...{ table: "silver_orders", partition_date: today, layer: "silver", check_name: "an order keeps its currency" },
      ...{ metric: "sql", bound: { mustBe: 0 }, on_fail: "warn", judged_at },
    },
  ];
  // The contract's check of a gold table waits with that.
  const shown = (await get(`/v1/partitions/orders/${today}`)).body;
  expect(shown.waiting_checks).toEqual(waiting);
  expect(shown.waits).toBe(
    `its closing: it is built with all its inputs, and one check is judged then, at ${judged_at}`,
  );
  expect((await get("/v1/quality")).body.waiting).toEqual(waiting);
  expect((await get(`/v1/quality?date=${today}&check=other`)).body.waiting).toEqual([]);
  expect((await get("/v1/quality?date=2026-11-19")).body.waiting).toEqual([]);
  expect((await get("/v1/quality?passed=true")).body.waiting).toBeNull();
  sqlite.exec("UPDATE partition_leases SET awaits_closing = 0");
  expect((await get(`/v1/partitions/orders/${today}`)).body).toMatchObject({
    waiting_checks: [],
    waits: "nothing: it is built with all its inputs",
  });
});

test("what is built in steps tells them: those of the candidate, what no step has read, builders that are gone", async () => {
  const steps = async (path: string, key = "reader") => (await get(`/v1/partitions/${path}`, key)).body.steps;
  addKey(harness.db, "all", ["*:read"]);
  const { sqlite } = harness.db;
  const row = (registration: number, rows: number) =>
    `('orders', '2026-11-20', 'f${registration}', 0, ${rows}, ${registration})`;
  for (const n of [1, 2, 3])
    sqlite.exec(
      `INSERT INTO bronze_files (file, topic, shard, shard_of, incarnation, seq, rows, bytes, min_received, max_received, registered_at)
       VALUES ('f${n}', 'orders', 0, 1, 'i', ${n}, 1, 1, '', '', '')`,
    );
  sqlite.exec(
    `INSERT INTO bronze_file_dates (topic, partition_date, file, first_row, rows, registration) VALUES ${row(1, 10)}, ${row(2, 20)}, ${row(3, 40)}`,
  );
  expect(await steps("orders/2026-11-20")).toEqual({ done: 0, unread_rows: 70, attempts: 0, splits: 0 });
  const candidate = (progress: string) =>
    sqlite
      .prepare(
        `INSERT INTO silver_progress VALUES ('orders', '2026-11-20', 'candidate', 'b', 'r', 2, 'empty', 0, ?, '')
         ON CONFLICT DO UPDATE SET progress = excluded.progress`,
      )
      .run(progress);
  candidate('{"seen": 1, "partRead": 5}');
  sqlite.exec("UPDATE partition_leases SET run_id = 'r4', vanished = 1, splits = 3 WHERE domain = 'orders'");
  expect(await steps("orders/2026-11-20")).toEqual({ done: 2, unread_rows: 55, attempts: 2, splits: 3 });
  const listed = (await get("/v1/partitions?table=orders")).body.partitions;
  expect(listed.map((each: { steps: unknown }) => each.steps)).toEqual([
    { done: 2, unread_rows: 55, attempts: 2, splits: 3 },
    { done: 0, unread_rows: 0, attempts: 0, splits: 0 },
  ]);
  // A row that somebody edited hides no partition.
  candidate("nonsense");
  expect(await steps("orders/2026-11-20")).toMatchObject({ unread_rows: 70 });
  // Rows of gold's inputs are not counted.
  const ofGold = { done: 0, unread_rows: null, attempts: 0, splits: 0 };
  expect(await steps("daily_order_revenue/2026-11-19", "all")).toEqual(ofGold);
});

test("pages follow one another, and a cursor is of its list", async () => {
  const names: string[] = [];
  let cursor = "";
  do {
    const { body } = await get(`/v1/partitions?limit=1${cursor}`, "reader");
    names.push(...body.partitions.map((each: { partition_date: string }) => each.partition_date));
    cursor = body.next_cursor === null ? "" : `&cursor=${body.next_cursor}`;
  } while (cursor !== "");
  expect(names).toEqual(["2026-11-20", "2026-11-19"]);
  const { next_cursor } = (await get("/v1/partitions?limit=1")).body;
  expect((await get(`/v1/runs?cursor=${next_cursor}`)).body.code).toBe("INVALID_PARAMETER");
  expect((await get("/v1/partitions?cursor=nonsense")).body.detail).toContain("next_cursor of a page of the same list");
});

test("backfills and decisions need the right on the table; who asked is kept", async () => {
  const wanted = { table: "orders", from: "2026-11-01", to: "2026-11-30", reprocess: "completed" };
  expect((await post("/v1/backfills", wanted, "reader")).status).toBe(403);
  expect((await post("/v1/backfills", { ...wanted, table: "weather" }, "operator")).status).toBe(403);
  expect((await post("/v1/backfills", { ...wanted, layer: "gold" }, "operator")).status).toBe(403);
  const { status, body } = await post("/v1/backfills", wanted, "operator");
  expect([status, body.counts, body.followers]).toEqual([
    201,
    { total: 2, waiting: 2, started: 0, done: 0, failed: 0, cancelled: 0 },
    ["daily_order_revenue"],
  ]);
  expect(body.created_by).toMatch(/^key_[0-9a-f]{12}$/);
  expect((await get(`/v1/backfills/${body.backfill_id}`)).status).toBe(200);
  addKey(harness.db, "weather", ["weather:read", "weather:admin"]);
  expect((await get(`/v1/backfills/${body.backfill_id}`, "weather")).body.code).toBe("UNKNOWN_BACKFILL");
  expect((await post(`/v1/backfills/${body.backfill_id}/cancel`, {}, "weather")).status).toBe(404);
  expect((await get("/v1/backfills", "weather")).body.backfills).toEqual([]);
  const path = "/v1/partitions/orders/2026-11-20/decisions";
  const decision = { action: "quarantine", reason: "  known  " };
  expect((await post(path, decision, "reader")).status).toBe(403);
  expect((await post(path, { ...decision, reason: " " }, "operator")).body.code).toBe("INVALID_PARAMETER");
  // The check of the catalog is none of the contract's.
  expect((await post(path, decision, "operator")).body.detail).toContain("its check has gone; accept or discard it");
});

test("a backfill is forgotten some time after its end", async () => {
  const wanted = { table: "orders", from: "2026-11-01", to: "2026-11-30", reprocess: "completed" };
  await post("/v1/backfills", wanted, "operator");
  await post("/v1/backfills", wanted, "operator");
  expect(await forgetBackfills(harness.db.d1, "2999-01-01", 5)).toBe(0);
  harness.db.sqlite.exec("UPDATE backfills SET ended_at = '2026-11-22'");
  expect(await forgetBackfills(harness.db.d1, "2026-11-21", 5)).toBe(0);
  expect(await forgetBackfills(harness.db.d1, "2999-01-01", 1)).toBe(1);
  expect(await forgetBackfills(harness.db.d1, "2999-01-01", 5)).toBe(1);
  expect(harness.db.sqlite.prepare("SELECT count(*) AS n FROM backfill_partitions").get()?.["n"]).toBe(0);
});
