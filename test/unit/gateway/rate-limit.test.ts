import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { createEventBudget } from "../../../gateway/middleware/rate-limit/event-budget.ts";
import { createSpending } from "../../../gateway/middleware/rate-limit/spending.ts";
import { addKey, answer, bearer, createHarness, order } from "./harness.ts";
import { land } from "./land.ts";

test("requests over the platform's count are 429 with Retry-After, by key, and nothing is stored", async () => {
  const harness = createHarness({ requestsPerKey: 2 });
  addKey(harness.db, "one", ["*:write"]);
  addKey(harness.db, "two", ["*:write"]);
  const post = (key: string) => harness.post("/v1/topics/orders/events", order("o"), { authorization: bearer(key) });
  expect([(await post("one")).status, (await post("one")).status]).toEqual([202, 202]);
  const over = await post("one");
  expect([over.status, over.headers.get("retry-after"), (await answer(over)).code]).toEqual([
    429,
    "10",
    "RATE_LIMITED",
  ]);
  expect((await post("two")).status).toBe(202);
  expect(harness.sent).toHaveLength(3);
});

/** A key of so many events a minute, and posts with it. */
function limitedKey(perMinute: number) {
  const harness = createHarness();
  addKey(harness.db, "small", ["*:write", "*:read", "*:admin"]);
  harness.db.sqlite.exec(`UPDATE api_keys SET events_per_minute = ${perMinute} WHERE producer = 'producer of small'`);
  const post = (body: unknown, query = "", headers: Record<string, string> = {}) =>
    harness.post(`/v1/topics/orders/events${query}`, body, { authorization: bearer("small"), ...headers });
  return { harness, post };
}

const orders = (count: number) => Array.from({ length: count }, (_, index) => order(`o-${index}`));

test("a key's own limit of events: 429 says when to come back, and then it passes", async () => {
  const { harness, post } = limitedKey(60);
  expect((await post(orders(65))).status).toBe(202);
  const over = await post(orders(1));
  expect([over.status, over.headers.get("retry-after")]).toEqual([429, "6"]);
  harness.clock.advance(6_000);
  expect((await post(orders(1))).status).toBe(202);
  expect(harness.sent.reduce((sum, { header }) => sum + header.count, 0)).toBe(66);
});

test("a key in debt is refused before its body is read", async () => {
  // Deployed: a local platform reads what is left, for the sake of the answer.
  const harness = createHarness({ environment: "staging" });
  addKey(harness.db, "small", ["*:write"], null, "staging");
  harness.db.sqlite.exec("UPDATE api_keys SET events_per_minute = 60");
  const authorization = bearer("small", "staging");
  expect((await harness.post("/v1/topics/orders/events", orders(65), { authorization })).status).toBe(202);
  let pulled = 0;
  const body = new ReadableStream({
    pull(controller) {
      pulled++;
      controller.enqueue(new Uint8Array(1_000_000).fill(0x20));
    },
  });
  // Node demands the word for a stream; the Worker's types do not know it.
  const init = { method: "POST", body, headers: { authorization, "content-type": "application/json" } };
  const refused = await harness.request("/v1/topics/orders/events", Object.assign(init, { duplex: "half" }));
  expect(refused.status).toBe(429);
  // What stands ready in a stream that nobody read.
  expect(pulled).toBeLessThanOrEqual(1);
});

test.each([
  ["a document that is no JSON", "[".repeat(90_000), "", {}, 400],
  ["a dry run", orders(90), "?dry_run=true", {}, 202],
  ["refused events", Array.from({ length: 90 }, () => ({})), "", {}, 422],
  ["one event of 90 KB", order("o", { note: "n".repeat(89_900) }), "", {}, 202],
  ["90 KB in a kilobyte of gzip", gzipSync(" ".repeat(90_000)), "", { "content-encoding": "gzip" }, 400],
  ["no event at all", " ".repeat(90_000), "", {}, 400],
])("what costs counts, whatever comes of it: %s", async (_name, body, query, headers, status) => {
  const { harness, post } = limitedKey(60);
  expect((await post(body, query, headers)).status).toBe(status);
  expect((await post(orders(1))).status).toBe(429);
  // 90 and a few tokens of 60: the debt of some thirty is paid after as many seconds, and not before.
  harness.clock.advance(25_000);
  expect((await post(orders(1))).status).toBe(429);
  harness.clock.advance(15_000);
  expect((await post(orders(1))).status).toBe(202);
});

test("an answer that is repeated for its Idempotency-Key costs the bytes that were read again", async () => {
  const { post } = limitedKey(100);
  const body = [order("o", { note: "n".repeat(45_000) })];
  const headers = { "idempotency-key": "once" };
  expect((await post(body, "", headers)).status).toBe(202);
  const again = await post(body, "", headers);
  expect([again.status, again.headers.get("idempotent-replayed")]).toEqual([202, "true"]);
  expect((await post(body, "", headers)).status).toBe(202);
  expect((await post(body, "", headers)).status).toBe(429);
});

test("replays of dead letters cost an event each, dry runs too", async () => {
  const { harness, post } = limitedKey(10);
  expect((await post(Array.from({ length: 6 }, (_, index) => order(`b-${index}`, { amount: -1 })))).status).toBe(422);
  await land(harness);
  const replay = () => harness.post("/v1/dead-letters/replay", { topic: "orders" }, { authorization: bearer("small") });
  const first = await replay();
  expect([first.status, JSON.parse(await first.text()).dry_run]).toEqual([200, true]);
  const over = await replay();
  expect([over.status, (await answer(over)).code]).toEqual([429, "RATE_LIMITED"]);
});

test("the bucket refills evenly, holds one minute, and survives a clock that goes back", () => {
  const budget = createEventBudget();
  const spend = (events: number, now: number) => {
    const wait = budget.wait("k", 600, now);
    if (wait === 0) budget.take("k", events, 600, now);
    return wait;
  };
  expect([spend(600, 0), spend(1, 0), spend(1, 100), spend(1, 50)]).toEqual([0, 100, 0, 100]);
  expect([spend(1_200, 3_600_000), spend(1, 3_600_000)]).toEqual([0, 60_100]);
});

test("a request is charged once for the more of its events and bytes", () => {
  const taken: number[] = [];
  const spending = createSpending({ demand() {}, take: (events) => taken.push(events) });
  spending.begin(2_001);
  spending.settle({ events: 2, bytes: 2_001 });
  spending.settle({ events: 100, bytes: 2_001 });
  spending.settle({ events: 100, bytes: 99_000 });
  spending.settle({ events: 100, bytes: 120_500 });
  expect(taken).toEqual([3, 97, 21]);
});
