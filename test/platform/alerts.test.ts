/** Alerts on the real bundle: a condition appears and goes, the topic and a real webhook are told of both, once each. */
import { createServer, type Server } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestPlatform, type TestPlatform } from "./harness.ts";

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
  at = await startTestPlatform({ vars: { ALERT_WEBHOOK_URL: `http://127.0.0.1:${port}${SECRET}` } });
});
afterAll(async () => {
  await at.close();
  await new Promise((resolve) => server.close(resolve));
});

/** A tick of the cron at this time. */
async function tick(time: number): Promise<void> {
  const worker = await at.platform.mf.getWorker();
  const { outcome } = await worker.scheduled({ cron: "* * * * *", scheduledTime: new Date(time) });
  expect(outcome).toBe("ok");
}

const inSilver = () =>
  at.rows(
    "SELECT alert_id, state, severity, _copies::INT AS copies FROM silver_pipeline_alerts ORDER BY event_timestamp",
  );

async function silverHas(count: number): Promise<boolean> {
  const published = await at.platform.db
    .prepare(
      "SELECT coalesce(sum(rows), 0) AS n FROM published JOIN snapshots USING (snapshot_id) WHERE published.table_name = 'silver_pipeline_alerts'",
    )
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
  await tick(started + 4 * MINUTE);
  expect(posts.map(({ text }) => /Firing|Resolved/.exec(text)?.[0])).toEqual(["Firing", "Firing", "Resolved"]);

  // As after a crash between the emission and its record.
  await at.platform.db.prepare("UPDATE alert_events SET emitted_at = NULL").run();
  await tick(started + 5 * MINUTE);
  await at.until("both events in silver", async () => (await silverHas(2)) && (await copies()) === 2);
  const alert = { alert_id: "message_parked/sluice-local-orders", severity: "critical", copies: 2 };
  expect(await inSilver()).toEqual([
    { ...alert, state: "firing" },
    { ...alert, state: "resolved" },
  ]);
  expect(posts).toHaveLength(3);
  expect(at.logs.join("\n")).not.toContain("very-secret");
  expect(at.logs.some((line) => line.includes('"duty":"webhook"') && line.includes('"status":500'))).toBe(true);
  expect(at.errors).toEqual([]);
});

async function copies(): Promise<number> {
  const rows = await inSilver();
  return Math.min(...rows.map((row) => Number(row["copies"])));
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
