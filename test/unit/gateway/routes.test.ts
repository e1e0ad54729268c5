import { RegExpRouter } from "hono/router/reg-exp-router";
import { describe, expect, it } from "vitest";
import { namedManifest } from "../../../lakehouse/tables/bronze/manifest.ts";
import { versionSql } from "../../oracle/version-sql.ts";
import { addKey, answer, bearer, createHarness, keyNamed, order } from "./harness.ts";

const OPEN = { headers: { authorization: "" } };

describe("open addresses", () => {
  it("GET / is HTML with commands for this origin, and JSON for those who prefer it", async () => {
    const harness = createHarness();
    const page = await harness.request("http://localhost:8787/", OPEN);
    expect(page.headers.get("content-type")).toMatch(/^text\/html/);
    const html = await page.text();
    expect(html).toContain("http://localhost:8787/v1/topics/weather/events");
    expect(html).toContain("Bearer local-dev-key");
    expect(html).not.toMatch(/src=|@import|https:\/\//);
    const json = await harness.request("/", { headers: { authorization: "", accept: "application/json" } });
    expect(JSON.parse(await json.text())).toMatchObject({ name: "sluice", topics: expect.arrayContaining(["orders"]) });
    const browser = await harness.request("/", { headers: { accept: "text/html,application/xhtml+xml,*/*;q=0.8" } });
    expect(browser.headers.get("content-type")).toMatch(/^text\/html/);
  });

  it("GET /healthz counts messages, GET /readyz asks D1", async () => {
    const harness = createHarness();
    const sent = async (): Promise<number> => {
      const body = JSON.parse(await (await harness.request("/healthz", OPEN)).text());
      expect(body).toMatchObject({ status: "ok", environment: "local", messages: { acknowledged: 7 } });
      return body.messages.sent;
    };
    const before = await sent();
    await harness.post("/v1/topics/orders/events", [order("a"), order("b", { amount: 1 })]);
    expect((await sent()) - before).toBe(2);
    expect((await harness.request("/readyz", OPEN)).status).toBe(200);
    harness.db.setDown(true);
    harness.clock.advance(5_000);
    const down = await harness.request("/readyz", OPEN);
    expect([down.status, (await answer(down)).code]).toEqual([503, "CATALOG_UNAVAILABLE"]);
    expect((await harness.request("/healthz", OPEN)).status).toBe(200);
  });
});

it("Hono's fast router takes all routes: one that it refuses makes it choose a slower one for every request", () => {
  const router = new RegExpRouter<string>();
  for (const { method, path } of createHarness().routes()) router.add(method, path, path);
  expect(router.match("POST", "/v1/topics/orders/events")[0].length).toBeGreaterThan(1);
});

describe("problems", () => {
  it("404 and 405 are problem details with the request's id", async () => {
    const harness = createHarness();
    const missing = await harness.request("/v2/topics", OPEN);
    expect(missing.status).toBe(404);
    expect(missing.headers.get("content-type")).toBe("application/problem+json");
    const body = JSON.parse(await missing.text());
    expect(body).toEqual({
      type: "urn:sluice:problem:not-found",
      title: expect.any(String),
      status: 404,
      code: "NOT_FOUND",
      detail: expect.any(String),
      remedy: expect.any(String),
      request_id: missing.headers.get("x-request-id"),
    });
    for (const [path, method, allow] of [
      ["/v1/topics/orders/flush", "GET", "POST"],
      ["/v1/topics/orders/events", "PUT", "POST, GET, HEAD"],
      ["/v1/topics", "DELETE", "GET, HEAD"],
      ["/healthz", "POST", "GET, HEAD"],
    ] as const) {
      const refused = await harness.request(path, { method });
      expect([refused.status, refused.headers.get("allow"), (await answer(refused)).code]).toEqual([
        405,
        allow,
        "METHOD_NOT_ALLOWED",
      ]);
    }
    expect((await harness.request("/healthz", { method: "HEAD" })).status).toBe(200);
    expect((await harness.request("/v1/nothing")).status).toBe(404);
    expect((await harness.request("/v1/nothing", OPEN)).status).toBe(401);
    expect(harness.logs[0]).toMatchObject({ status: 404, problem: "NOT_FOUND" });
  });

  it("a log that throws does not fail a request", async () => {
    const harness = createHarness();
    Object.defineProperty(harness.logs, "push", {
      value: () => {
        throw new Error("full");
      },
    });
    expect((await harness.request("/healthz")).status).toBe(200);
  });
});

describe("topics and tables", () => {
  it("lists topics and shows one", async () => {
    const harness = createHarness();
    const list = JSON.parse(await (await harness.request("/v1/topics")).text());
    expect(list.topics).toContainEqual(
      expect.objectContaining({ topic: "orders", schema_version: expect.any(Number), accepts_events: true }),
    );
    expect(list.topics).toContainEqual(expect.objectContaining({ topic: "dead_letters", accepts_events: false }));
    const orders = JSON.parse(await (await harness.request("/v1/topics/orders")).text());
    expect(orders).toMatchObject({ dedupe_key: ["event_id"], rules: [{ id: "orders.amount_is_sum_of_items" }] });
    expect((await harness.request("/v1/topics/nope")).status).toBe(404);
  });

  it("lists published tables and their live files only", async () => {
    const harness = createHarness();
    const old = { file: "silver/orders/old.parquet", rows: 10, bytes: 100 };
    const oldAside = { file: "quarantine/orders/old.parquet", rows: 9, bytes: 90, kind: "quarantine" };
    const b = { file: "silver/orders/b.parquet", rows: 5, bytes: 50 };
    const a = { file: "silver/orders/a.parquet", rows: 7, bytes: 70 };
    const aside = { file: "quarantine/orders/a.parquet", rows: 2, bytes: 20, kind: "quarantine" };
    for (const version of [
      { version: 1, date: "2026-11-20", rows: 10, at: "2026-11-20T10:00:00Z", files: [old, oldAside] },
      { version: 2, date: "2026-11-20", rows: 12, at: "2026-11-20T11:00:00Z", files: [b, a, aside] },
      { version: 3, date: "2026-11-21", rows: 0, at: "2026-11-21T09:00:00Z" },
    ])
      harness.db.sqlite.exec(versionSql({ table: "silver_orders", ...version }));
    const summary = {
      table_name: "silver_orders",
      version: 3,
      partitions: 2,
      rows: 12,
      committed_at: "2026-11-21T09:00:00Z",
    };
    expect(JSON.parse(await (await harness.request("/v1/tables")).text())).toEqual({
      tables: [{ ...summary, pinned: 0, generation: null }],
    });
    const files = JSON.parse(await (await harness.request("/v1/tables/silver_orders/files")).text());
    expect(files).toEqual({
      ...summary,
      files: [
        { partition_date: "2026-11-20", added: 2, file: "silver/orders/a.parquet", rows: 7, bytes: 70 },
        { partition_date: "2026-11-20", added: 2, file: "silver/orders/b.parquet", rows: 5, bytes: 50 },
      ],
      next_cursor: null,
    });
    const first = JSON.parse(await (await harness.request("/v1/tables/silver_orders/files?version=1")).text());
    expect(first).toMatchObject({ version: 1, files: [{ added: 1, file: "silver/orders/old.parquet" }] });
    // What is said of the table is of that version, too, and not of the newest.
    expect(first).toMatchObject({ partitions: 1, rows: 10, committed_at: "2026-11-20T10:00:00Z" });
    const second = JSON.parse(await (await harness.request("/v1/tables/silver_orders/files?version=2")).text());
    expect(second).toMatchObject({ version: 2, partitions: 1, rows: 12, committed_at: "2026-11-20T11:00:00Z" });
    const versions = JSON.parse(await (await harness.request("/v1/tables/silver_orders/versions?limit=2")).text());
    expect(versions).toMatchObject({ versions: [{ version: 3, readable: true }, { version: 2 }], next_cursor: "2" });
    const older = JSON.parse(await (await harness.request("/v1/tables/silver_orders/versions?cursor=2")).text());
    expect(older).toMatchObject({ versions: [{ version: 1, rows: 10 }], next_cursor: null });
    const quarantine = await harness.request("/v1/tables/silver_orders/quarantine");
    expect(JSON.parse(await quarantine.text())).toEqual({
      table_name: "silver_orders",
      version: 3,
      rows: 2,
      files: [{ partition_date: "2026-11-20", added: 2, file: "quarantine/orders/a.parquet", rows: 2, bytes: 20 }],
      next_cursor: null,
    });
    const none = await harness.request("/v1/tables/silver_orders/files?partition=2026-11-21");
    expect(JSON.parse(await none.text()).files).toEqual([]);
    expect((await harness.request("/v1/tables/silver_orders/files?partition=today")).status).toBe(400);
    expect((await harness.request("/v1/tables/nope/files")).status).toBe(404);
    expect((await harness.request("/v1/tables/silver_orders/files?version=9")).status).toBe(404);
    harness.db.setDown(true);
    expect((await harness.request("/v1/tables")).status).toBe(503);
  });

  it("lists the bronze files that stand, of dates in D1 and of folded ones, page by page", async () => {
    const harness = createHarness();
    const { sqlite } = harness.db;
    const time = "2026-11-21T12:00:00.000Z";
    const days = Array.from({ length: 40 }, (_, n) => new Date(Date.UTC(2026, 9, 1 + n)).toISOString().slice(0, 10));
    for (const [n, day] of days.entries()) {
      const register = (file: string, retired: string | null) => {
        sqlite
          .prepare("INSERT INTO bronze_files VALUES (?, 'orders', 0, 1, 'i', 1, 2, 9, ?, ?, ?, ?, ?)")
          .run(file, time, time, time, retired, n + 1);
        sqlite.prepare("INSERT INTO bronze_file_dates VALUES ('orders', ?, ?, 0, 2, ?)").run(day, file, n + 1);
      };
      register(`bronze/orders/event_date=${day}/live.parquet`, null);
      register(`bronze/orders/event_date=${day}/replaced.parquet`, "compacted");
    }
    const [first = "", second = ""] = days;
    const times = { min_received: time, max_received: time, registered_at: time, last_date: first };
    const file = {
      file: "bronze/orders/folded.parquet",
      first_row: 3,
      rows: 4,
      bytes: 5,
      shard: 0,
      shard_of: 1,
      ...times,
    };
    const { key, text } = namedManifest("orders", first, [
      { ...file, inputs: [] },
      { ...file, file: "bronze/orders/gone.parquet", retired: true, inputs: [] },
    ]);
    await harness.bucket.put(key, text);
    sqlite
      .prepare("INSERT INTO bronze_manifests VALUES ('orders', ?, ?, 1, 1, 4, 1, 4, ?, ?, ?, ?, 'f')")
      .run(first, key, time, time, time, time);
    const ask = async (query: string, key?: string) => {
      const headers = key === undefined ? {} : { authorization: bearer(key) };
      const response = await harness.request(`/v1/tables/${query}`, { headers });
      return { status: response.status, json: JSON.parse(await response.text()) };
    };
    const live = (day: string) => ({
      ...{ partition_date: day, file: `bronze/orders/event_date=${day}/live.parquet`, first_row: 0, rows: 2, bytes: 9 },
    });
    const folded = { partition_date: first, file: "bronze/orders/folded.parquet", first_row: 3, rows: 4, bytes: 5 };
    const page = (await ask("bronze_orders/files")).json;
    expect(page).toEqual({
      table_name: "bronze_orders",
      files: [live(first), folded, ...days.slice(1, 31).map(live)],
      next_cursor: `0_${days[30]}`,
    });
    const rest = (await ask(`bronze_orders/files?cursor=${page.next_cursor}`)).json;
    expect(rest).toEqual({ table_name: "bronze_orders", files: days.slice(31).map(live), next_cursor: null });
    expect((await ask(`bronze_orders/files?partition=${second}`)).json.files).toEqual([live(second)]);
    expect((await ask("bronze_weather/files")).json).toMatchObject({ files: [], next_cursor: null });
    expect(await ask("bronze_orders/files?version=3")).toMatchObject({
      status: 400,
      json: { detail: expect.stringMatching(/bronze has no versions.*silver_orders/) },
    });
    addKey(harness.db, "reader", ["orders:read"]);
    expect((await ask("bronze_orders/files", keyNamed("reader"))).status).toBe(200);
    expect((await ask("bronze_dead_letters/files", keyNamed("reader"))).status).toBe(403);
    expect((await ask("bronze_dead_letters/files")).json).toEqual({
      ...{ table_name: "bronze_dead_letters", files: [], next_cursor: null },
    });
  });
});
