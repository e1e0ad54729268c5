/** A platform with an edge answers as one without: two processes, one journal, one storage. Kills: every other life of kill.test.ts. */
import { request } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { workerds } from "../../tools/bench/workerd-cpu.ts";
import { readMessageCounts } from "../../tools/local-platform/drain.ts";
import { order } from "./events.ts";
import { bronzeRows, startTestPlatform, type TestPlatform } from "./harness.ts";

let at: TestPlatform;
let before: readonly number[];
beforeAll(async () => {
  before = workerds();
  at = await startTestPlatform({ edge: true, faults: true });
});
afterAll(() => at.close());

function requestsLogged(topic: string): number {
  return at.logs.filter((line) => line.startsWith("{") && JSON.parse(line).topic === topic && line.includes("POST"))
    .length;
}

async function postKey(path: string, body: object): Promise<Record<string, string>> {
  const response = await fetch(`${at.platform.url}/v1/keys${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${at.platform.apiKey}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  expect(response.status).toBeLessThan(300);
  return JSON.parse(await response.text());
}

test("events of both processes are in bronze once, each request has its line, and all that was sent is counted", async () => {
  const ids = Array.from({ length: 40 }, (_, n) => `edge-${n}`);
  const answers = await Promise.all([
    ...ids.slice(0, 30).map((id) => at.post("orders", JSON.stringify(order(id)))),
    // The receipts are in the main process.
    ...ids.slice(30).map((id) => at.post("orders", JSON.stringify(order(id)), { headers: { "Idempotency-Key": id } })),
  ]);
  expect(answers.map(({ status }) => status)).toEqual(ids.map(() => 202));
  await at.until("all orders in bronze", async () => (await bronzeRows(at.platform, "orders")) >= ids.length);
  const rows = await at.rows("SELECT event_id FROM bronze_orders");
  expect(rows.map(({ event_id }) => event_id).sort()).toEqual(ids.sort());
  const { sent = 0, acknowledged } = (await readMessageCounts(at.platform.url)) ?? {};
  expect(sent).toBeGreaterThanOrEqual(ids.length);
  expect(acknowledged).toBe(sent);
  await expect.poll(() => requestsLogged("orders")).toBe(40);
  const metrics = await at.get("/metrics");
  expect(metrics.text).toContain("sluice_catalog_up 1");
  expect((await at.get("/v1/topics/orders")).json).toMatchObject({ topic: "orders" });
  expect(at.errors).toEqual([]);
});

test("a payload that no message can carry is stored and shown", async () => {
  const bad = JSON.stringify(order("edge-large", { currency: "XXX", note: "x".repeat(90_000) }));
  expect((await at.post("orders", bad)).status).toBe(422);
  await at.until("the dead letter in bronze", async () => (await bronzeRows(at.platform, "dead_letters")) >= 1);
  const list = await at.get("/v1/dead-letters?topic=orders");
  const [{ dlq_id }] = list.json.dead_letters;
  const { payload, payload_ref } = (await at.get(`/v1/dead-letters/${dlq_id}`)).json;
  expect(payload).toBeNull();
  expect(await (await at.platform.lake.get(payload_ref))?.text()).toBe(bad);
});

test("a key that was revoked in the main process is refused by the edge within half a minute", async () => {
  const made = await postKey("", { producer: "shop", scopes: ["orders:write"] });
  const post = async () =>
    (await at.post("orders", JSON.stringify(order("edge-key")), { key: made["key"] ?? "", query: "?dry_run=true" }))
      .status;
  expect(await post()).toBe(202);
  await postKey(`/${made["key_id"]}/revoke`, {});
  await at.passTime(30_000);
  expect(await post()).toBe(401);
});

test("neither process makes a key, or takes an event, for a page that bound its own name to this machine", async () => {
  const { port } = new URL(at.platform.url);
  const key = JSON.stringify({ producer: "page", scopes: ["*:admin"] });
  const headers = { authorization: `Bearer ${at.platform.apiKey}`, "content-type": "application/json" };
  const send = (path: string, body: string, more: Record<string, string>) =>
    new Promise<string>((resolve, reject) => {
      const options = { host: "127.0.0.1", port, path, method: "POST", headers: { ...headers, ...more } };
      const sent = request(options, (response) => {
        let text = "";
        response.on("data", (chunk) => (text += String(chunk)));
        response.on("end", () => resolve(`${response.statusCode} ${/HOST_NOT_ALLOWED/.exec(text)?.[0] ?? ""}`));
      });
      sent.on("error", reject);
      sent.end(body);
    });
  const rebound = { host: `evil.example:${port}` };
  for (const [path, body] of [
    ["/v1/keys", key],
    ["/v1/topics/orders/events", JSON.stringify(order("edge-page"))],
  ] as const) {
    expect(await send(path, body, rebound)).toBe("403 HOST_NOT_ALLOWED");
    // What a caller may set to change the address that a Worker in Miniflare sees.
    const claimed = { ...rebound, "mf-original-url": `http://127.0.0.1:${port}${path}` };
    expect(await send(path, body, claimed)).toBe("403 HOST_NOT_ALLOWED");
  }
});

test("a stop ends both processes", async () => {
  const started = workerds().filter((pid) => !before.includes(pid));
  expect(started).toHaveLength(2);
  expect(await at.platform.drain()).toEqual({ drained: true });
  expect(workerds().filter((pid) => started.includes(pid))).toEqual([]);
});
