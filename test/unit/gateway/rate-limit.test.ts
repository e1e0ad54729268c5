import { expect, test } from "vitest";
import { createEventBudget } from "../../../gateway/middleware/rate-limit/event-budget.ts";
import { addKey, answer, bearer, createHarness, order } from "./harness.ts";

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

test("a key's own limit of events: 429 says when to come back, and then it passes", async () => {
  const harness = createHarness();
  addKey(harness.db, "small", ["*:write"]);
  harness.db.sqlite.exec("UPDATE api_keys SET events_per_minute = 60 WHERE producer = 'producer of small'");
  const post = (count: number, query = "") =>
    harness.post(
      `/v1/topics/orders/events${query}`,
      Array.from({ length: count }, (_, i) => order(`o-${i}`)),
      { authorization: bearer("small") },
    );
  expect((await post(65)).status).toBe(202);
  const over = await post(1);
  expect([over.status, over.headers.get("retry-after")]).toEqual([429, "6"]);
  expect((await post(1, "?dry_run=true")).status).toBe(202);
  harness.clock.advance(6_000);
  expect((await post(1)).status).toBe(202);
  expect(harness.sent.reduce((sum, { header }) => sum + header.count, 0)).toBe(66);
});

test("the bucket refills evenly, holds one minute, and survives a clock that goes back", () => {
  const budget = createEventBudget();
  expect(budget.spend("k", 600, 600, 0)).toEqual({ ok: true });
  expect(budget.spend("k", 1, 600, 0)).toEqual({ ok: false, retryAfterMs: 100 });
  expect(budget.spend("k", 1, 600, 100)).toEqual({ ok: true });
  expect(budget.spend("k", 1, 600, 50)).toEqual({ ok: false, retryAfterMs: 100 });
  expect(budget.spend("k", 1_200, 600, 3_600_000)).toEqual({ ok: true });
  expect(budget.spend("k", 1, 600, 3_600_000)).toEqual({ ok: false, retryAfterMs: 60_100 });
});
