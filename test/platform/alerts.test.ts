/** Alerts on the real bundle: a condition appears and goes, the topic and a real webhook are told of both, once each. */
import { createServer, type Server } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readPrometheusText, seriesValue } from "../oracle/prometheus-text.ts";
import { order } from "./events.ts";
import { allBuilt, bronzeRows, startTestPlatform, type TestPlatform } from "./harness.ts";

const SECRET = "/services/very-secret";
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

interface Post {
  readonly path: string;
  readonly text: string;
  readonly status: number;
}

const posts: Post[] = [];
const statuses: number[] = [];
let server: Server;
let at: TestPlatform;

beforeAll(async () => {
  server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => {
      body += String(chunk);
    });
    request.on("end", () => {
      const status = statuses.shift() ?? 200;
      const { text }: { text: string } = JSON.parse(body);
      posts.push({ path: request.url ?? "", text, status });
      response.writeHead(status).end(status === 200 ? "ok" : "no");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  at = await startTestPlatform({ faults: true, vars: { ALERT_WEBHOOK_URL: `http://127.0.0.1:${port}${SECRET}` } });
});
afterAll(async () => {
  await at.close();
  await new Promise((resolve) => server.close(resolve));
});

/** A tick of the cron at this time. */
async function tick(time: number): Promise<void> {
  await at.platform.runCron("* * * * *", new Date(time));
}

const inSilver = () =>
  at.rows(
    "SELECT alert_id, state, severity FROM silver_pipeline_alerts WHERE alert_id LIKE 'message_parked/%' ORDER BY event_timestamp",
  );

async function silverHas(count: number): Promise<boolean> {
  const published = await at.platform.db
    .prepare("SELECT coalesce(sum(rows), 0) AS n FROM published WHERE table_name = 'silver_pipeline_alerts'")
    .first<number>("n");
  return (published ?? 0) >= count;
}

test("a message is parked, and sent again: firing and resolved, in the table and at the webhook", async () => {
  // The ticks are this far ahead of the clock, and all must fall on one day: silver keeps one row per id and date.
  const started = Math.min(Date.now(), Math.ceil(Date.now() / DAY) * DAY - 10 * MINUTE);
  const parked = "parked/sluice-local-orders/1";
  await at.platform.lake.put(parked, "x", { customMetadata: { cause: "data", detail: "not a packed message" } });
  statuses.push(500);
  await tick(started);
  await tick(started);
  expect(posts.map(({ status }) => status)).toEqual([500]);

  await tick(started + MINUTE);
  await tick(started + 2 * MINUTE);
  expect(posts).toMatchObject([
    { status: 500 },
    { status: 200, path: SECRET, text: expect.stringMatching(/Firing: message_parked .*local.*not a packed message/) },
  ]);
  await at.until("the firing alert in silver", () => silverHas(1));

  await at.platform.lake.delete(parked);
  await Promise.all([tick(started + 3 * MINUTE), tick(started + 3 * MINUTE)]);
  // Four minutes ahead, what waits in a buffer now would be overdue.
  await at.until("both alerts in bronze", async () => {
    const waiting = await at.platform.db
      .prepare("SELECT count(*) AS n FROM shards WHERE oldest_unflushed IS NOT NULL")
      .first<number>("n");
    return waiting === 0 && (await bronzeRows(at.platform, "pipeline_alerts")) >= 2;
  });
  await tick(started + 4 * MINUTE);
  // With ticks ahead of the clock, other work may seem overdue and say so too.
  const ofParked = () => posts.filter(({ text }) => text.includes("message_parked"));
  expect(ofParked().map(({ text }) => /Firing|Resolved/.exec(text)?.[0])).toEqual(["Firing", "Firing", "Resolved"]);

  // As after a crash between the emission and its record.
  await at.platform.db.prepare("UPDATE alert_events SET emitted_at = NULL").run();
  await tick(started + 5 * MINUTE);
  await at.until("both events in silver", async () => (await silverHas(2)) && (await copies()) >= 2);
  // Two ticks at once may both have sent what waited: still one row an event.
  const alert = { alert_id: "message_parked/sluice-local-orders", severity: "critical" };
  expect(await inSilver()).toEqual([
    { ...alert, state: "firing" },
    { ...alert, state: "resolved" },
  ]);
  expect(ofParked()).toHaveLength(3);
  expect(at.logs.join("\n")).not.toContain("very-secret");
  expect(at.logs.some((line) => line.includes('"duty":"webhook"') && line.includes('"status":500'))).toBe(true);
  expect(at.errors).toEqual([]);
});

async function copies(): Promise<number> {
  const rows = await at.rows(
    "SELECT count(*)::INT AS n FROM bronze_pipeline_alerts WHERE alert_id LIKE 'message_parked/%' GROUP BY event_id",
  );
  return Math.min(...rows.map((row) => Number(row["n"])));
}

test("the first tick announced every release", async () => {
  await at.until("the announcements in silver", async () => {
    const rows = await at
      .rows("SELECT count(*)::INT AS n FROM silver_schema_changes WHERE topic = 'orders'")
      .catch(() => []);
    return Number(rows[0]?.["n"] ?? 0) === 3;
  });
  const changes = await at.rows(
    "SELECT change, schema_version::INT AS version, previous_schema_version::INT AS before, len(fields) > 0 AS has_fields FROM silver_schema_changes WHERE topic = 'orders' ORDER BY change, schema_version",
  );
  expect(changes).toEqual([
    { change: "contract_released", version: null, before: null, has_fields: true },
    { change: "schema_released", version: 1, before: null, has_fields: true },
    { change: "schema_released", version: 2, before: 1, has_fields: true },
  ]);
});

test("fields that no schema has are announced, those of a topic with masked fields without their names", async () => {
  await at.post("orders", JSON.stringify(order("drift", { nickname: "bob" })));
  const example = await at.get("/v1/contracts/users/example");
  await at.post("users", JSON.stringify({ ...example.json, nickname: "bob" }));
  await at.until("the flushes have noted them", async () => {
    const noted = await at.platform.db.prepare("SELECT count(*) AS n FROM unknown_fields").first<number>("n");
    return noted === 2;
  });
  await tick(Date.now());
  const drift = () =>
    at.rows(
      "SELECT topic, fields[1].pointer AS pointer, fields[1].change AS change FROM silver_schema_changes WHERE change = 'drift_seen' ORDER BY topic",
    );
  await at.until("the announcements in silver", async () => (await drift()).length === 2);
  expect(await drift()).toEqual([
    { topic: "orders", pointer: "/nickname", change: "undeclared" },
    { topic: "users", pointer: "/", change: "undeclared" },
  ]);
  const seen = await Promise.all(["orders", "users"].map((topic) => at.get(`/v1/topics/${topic}/activity`)));
  expect(seen.map(({ json }) => json.drift.map(({ pointer }: { pointer: string | null }) => pointer))).toEqual([
    ["/nickname"],
    [null],
  ]);
});

test("events that are nowhere: the cron's comparison raises an alert, and ends it when they are back", async () => {
  const { db } = at.platform;
  await at.until("orders in bronze", async () => (await bronzeRows(at.platform, "orders")) > 0);
  const open = async () => {
    const alert = await db
      .prepare(
        "SELECT json_extract(condition, '$.message') AS message FROM alerts WHERE alert_key LIKE 'ledger_difference/orders/%'",
      )
      .first<string>("message");
    return alert ?? "";
  };
  // A comparison is due four times an hour; what was appended an hour ago is on its way no more.
  const later = Math.ceil(Date.now() / (15 * MINUTE)) * 15 * MINUTE + 75 * MINUTE;
  await tick(later);
  expect(await open()).toBe("");
  await db.prepare("UPDATE ledger SET events = events + 1 WHERE topic = 'orders'").run();
  // Duties follow each other in a tick: the alert is that of the comparison before.
  await tick(later);
  await tick(later);
  expect(await open()).toMatch(/^1 events of orders .* are missing/);
  const { json } = await at.get("/v1/ledger?topic=orders");
  expect(json.rows).toMatchObject([{ topic: "orders" }]);
  await db.prepare("UPDATE ledger SET events = events - 1 WHERE topic = 'orders'").run();
  await tick(later);
  await tick(later);
  expect(await open()).toBe("");
  expect(posts.filter(({ text }) => text.includes("ledger_difference")).length).toBeGreaterThan(0);
});

test("metrics: a strict reader takes them, and what a scrape costs does not grow with what is stored", async () => {
  const scrape = async () => {
    const answer = await at.get("/metrics");
    expect(answer.status).toBe(200);
    return readPrometheusText(answer.text);
  };
  await at.until("everything is built", () => allBuilt(at.platform));
  const before = await scrape();
  expect(seriesValue(before, "sluice_catalog_up")).toBe(1);
  expect(seriesValue(before, "sluice_catalog_bytes")).toBeGreaterThan(100_000);
  expect(seriesValue(before, "sluice_runs_total", { domain: "pipeline_alerts", status: "DONE" })).toBeGreaterThan(0);
  expect(seriesValue(before, "sluice_events_accepted_total", { topic: "pipeline_alerts" })).toBeGreaterThanOrEqual(2);
  const cost = seriesValue(before, "sluice_metrics_rows_read") ?? 0;
  expect(cost).toBeGreaterThan(0);

  const days = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)";
  const day = "date('2020-01-01', i || ' days')";
  for (const insert of [
    `INSERT INTO partition_meta (domain, partition_date, status) ${days} SELECT 'orders', ${day}, 'DONE' FROM n`,
    `INSERT INTO bronze_files ${days} SELECT 'f' || i, 'orders', 0, 1, 'i', i, 1, 1, ${day}, ${day}, ${day}, NULL, i FROM n`,
    `INSERT INTO versions (table_name, version, partition_date, run_id, fence, kind, rows, rows_added, digest, committed_at) ${days}
       SELECT 'silver_orders', 10000 + i, ${day}, 'r', 1, 'commit', 1, 1, 'd', ${day} FROM n`,
    `INSERT INTO ended_runs (domain, partition_date, run_id, fence, status, started_at, finished_at) ${days}
       SELECT 'orders', ${day}, 'r' || i, 1, 'DONE', ${day}, ${day} FROM n`,
    `INSERT INTO ledger (topic, shard, shard_of, incarnation, hour, detail, events) ${days} SELECT 'orders', 0, 1, 'i', ${day} || 'T00:00:00Z', '', 1 FROM n`,
  ]) {
    await at.platform.db.prepare(insert).run();
  }
  // The catalog is read again after ten seconds.
  await at.passTime(10_000);
  const after = await scrape();
  const runs = (scraped: typeof after) =>
    seriesValue(scraped, "sluice_runs_total", { domain: "orders", status: "DONE" });
  expect(runs(after)).toBeGreaterThan(runs(before) ?? 0);
  // One row of orders' bronze and one of its versions is new to it.
  expect(seriesValue(after, "sluice_metrics_rows_read")).toBeLessThan(cost + 50);
});
