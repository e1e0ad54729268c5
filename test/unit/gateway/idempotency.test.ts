import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { answer, createHarness, deadLetters, type Harness, NOW, order } from "./harness.ts";

const PATH = "/v1/topics/orders/events";

function post(harness: Harness, body: unknown, key: string, headers: Record<string, string> = {}): Promise<Response> {
  return harness.post(PATH, body, { "idempotency-key": key, ...headers });
}

function many(count: number): Record<string, unknown>[] {
  return Array.from({ length: count }, (_, i) => order(`o-${i}`));
}

const ids = (harness: Harness): string[] => harness.sent.map(({ header }) => header.message_id);

test("the same body again: the first answer to the byte, nothing sent, also minutes later", async () => {
  const harness = createHarness();
  const events = [order("good"), order("bad", { currency: "XXX" })];
  const first = await post(harness, events, "k1");
  const sent = harness.sent.length;
  harness.clock.advance(3_600_000);
  const second = await post(harness, events, "k1");
  expect([first.status, second.status]).toEqual([207, 207]);
  expect([first, second].map(({ headers }) => headers.get("idempotent-replayed"))).toEqual([null, "true"]);
  expect(await second.text()).toBe(await first.text());
  expect(harness.sent).toHaveLength(sent);
  expect(harness.logs.map((line) => line["repeated"])).toEqual([false, true]);
});

test("another body under the key is 409; another topic, API key or day is another request", async () => {
  const harness = createHarness();
  expect((await post(harness, order("a"), "k1")).status).toBe(202);
  const reused = await post(harness, order("b"), "k1");
  expect([reused.status, (await answer(reused)).code]).toEqual([409, "IDEMPOTENCY_KEY_REUSED"]);
  expect((await post(harness, order("a"), "k1", { "content-type": "application/x-ndjson" })).status).toBe(409);
  expect((await post(harness, order("b"), "k2")).status).toBe(202);
  harness.clock.advance(24 * 3_600_000);
  const later = order("b", { event_timestamp: "2026-11-22T11:59:00.000Z" });
  expect((await post(harness, later, "k1")).status).toBe(202);
  expect(new Set(ids(harness)).size).toBe(3);
});

test("a send that fails: 503, then the same message ids and times, and each event once", async () => {
  const harness = createHarness();
  harness.failSends(1);
  const failed = await post(harness, many(2_000), "k1");
  expect([failed.status, (await answer(failed)).code]).toEqual([503, "QUEUE_UNAVAILABLE"]);
  expect(failed.headers.get("retry-after")).toBe("5");
  const landed = ids(harness);
  harness.healSends();
  harness.clock.advance(120_000);
  const again = await post(harness, many(2_000), "k1");
  expect((await answer(again)).accepted).toBe(2_000);
  expect(again.status).toBe(202);
  expect(ids(harness).slice(0, landed.length)).toEqual(landed);
  expect(new Set(ids(harness)).size).toBe(harness.sent.length);
  expect(harness.sent.reduce((sum, { header }) => sum + header.count, 0)).toBe(2_000);
  expect(new Set(harness.sent.map(({ header }) => header.received)).size).toBe(1);
  expect(harness.sent.map(({ header }) => header.sequence).sort((a, b) => a - b)).toEqual(
    harness.sent.map((_, i) => i + 1),
  );
  for (const id of ids(harness)) {
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-/);
    expect(Number.parseInt(id.slice(0, 13).replace("-", ""), 16)).toBe(NOW);
  }
});

test("all events unsent: the next request goes on without judging again", async () => {
  const harness = createHarness();
  harness.failAllSends();
  expect((await post(harness, many(3), "k1")).status).toBe(503);
  harness.healSends();
  const again = await post(harness, many(3), "k1");
  expect([again.status, again.headers.get("idempotent-replayed")]).toEqual([202, "true"]);
  expect(harness.sent).toHaveLength(1);
});

test("requests at once with one key: all get one answer, and the events are sent once", async () => {
  const harness = createHarness();
  const answers = await Promise.all(Array.from({ length: 8 }, () => post(harness, many(300), "k1")));
  const texts = await Promise.all(answers.map((response) => response.text()));
  expect(answers.map(({ status }) => status)).toEqual(new Array(8).fill(202));
  expect(new Set(texts).size).toBe(1);
  expect(harness.sent.reduce((sum, { header }) => sum + header.count, 0)).toBe(300);
});

test("a document that cannot be read is one dead letter, however often it comes", async () => {
  const harness = createHarness();
  const first = await post(harness, "[{", "k1");
  const second = await post(harness, "[{", "k1");
  expect([first.status, second.status]).toEqual([400, 400]);
  expect(first.headers.get("content-type")).toContain("problem+json");
  expect(await second.text()).toBe(await first.text());
  expect(deadLetters(harness)).toHaveLength(1);
});

test("a payload that cannot be stored fails the whole request before anything is sent", async () => {
  const harness = createHarness();
  harness.failPuts();
  const bad = order("bad", { currency: "XXX", customer_id: "x".repeat(50_000) });
  expect((await post(harness, [order("good"), bad], "k1")).status).toBe(503);
  expect(harness.sent).toEqual([]);
});

test("gzip, empty bodies and dry runs; a key that is none is 400", async () => {
  const harness = createHarness();
  const gzip = { "content-encoding": "gzip" };
  const body = gzipSync(JSON.stringify(order("z")));
  expect((await post(harness, body, "k1", gzip)).status).toBe(202);
  expect((await post(harness, body, "k1", gzip)).headers.get("idempotent-replayed")).toBe("true");
  expect((await post(harness, "[]", "k2")).status).toBe(400);
  expect((await post(harness, order("y"), "k2")).status).toBe(202);
  const dry = {
    method: "POST",
    body: JSON.stringify(order("x")),
    headers: { "idempotency-key": "k2", "content-type": "application/json" },
  };
  expect((await harness.request(`${PATH}?dry_run=true`, dry)).status).toBe(202);
  for (const key of ["", "a b", "ü", "x".repeat(256)]) {
    expect((await post(harness, order("y"), key)).status).toBe(400);
  }
  expect(harness.sent).toHaveLength(2);
});
