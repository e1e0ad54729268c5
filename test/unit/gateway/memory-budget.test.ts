import { expect, test } from "vitest";
import { createByteBudget } from "../../../gateway/middleware/memory-budget/byte-budget.ts";
import { answer, createHarness, order } from "./harness.ts";

const ORDERS = "/v1/topics/orders/events";
const OPTIONS = { totalBytes: 100, requestBytes: 60, smallShareBytes: 20, smallBytes: 10 };

test("requests share the budget, large ones leave a share to small ones, and what is closed is free", () => {
  const budget = createByteBudget(OPTIONS);
  const [one, two, small] = [budget.open(), budget.open(), budget.open()];
  expect([one.need(61), one.need(50), two.need(31), two.need(30)]).toEqual(["too_large", "granted", "busy", "granted"]);
  expect([small.need(10), small.need(11)]).toEqual(["granted", "busy"]);
  expect(budget.heldBytes()).toBe(90);
  one.close();
  one.close();
  expect([two.need(60), budget.heldBytes()]).toEqual(["granted", 70]);
  expect([two.need(5), budget.heldBytes()]).toEqual(["granted", 15]);
});

/** A body that gives its first part at once, and the rest when it is told to. */
function held(first: string, rest: string) {
  const gate = Promise.withResolvers<void>();
  const encoder = new TextEncoder();
  const stream = new ReadableStream({
    async start(controller) {
      controller.enqueue(encoder.encode(first));
      await gate.promise;
      controller.enqueue(encoder.encode(rest));
      controller.close();
    },
  });
  // Node demands the word for a stream; the Worker's types do not know it.
  const init = Object.assign(
    { method: "POST", body: stream, headers: { "content-type": "application/json" } },
    { duplex: "half" },
  );
  return { init, finish: () => gate.resolve() };
}

test("past the budget a request is 503 with Retry-After, small ones pass, and once the first is answered large ones do", async () => {
  const memory = { totalBytes: 750_000, requestBytes: 600_000, smallShareBytes: 200_000, smallBytes: 50_000 };
  const harness = createHarness({ limits: { memory } });
  const large = JSON.stringify(Array.from({ length: 500 }, (_, index) => order(`o-${index}`)));
  expect(large.length).toBeGreaterThan(150_000);
  const slow = held(large.slice(0, -1), large.slice(-1));
  const first = harness.request(ORDERS, slow.init);
  await new Promise((resolve) => setTimeout(resolve, 10));
  const refused = await harness.post(ORDERS, large, { "content-length": String(large.length) });
  expect([refused.status, refused.headers.get("retry-after"), (await answer(refused)).code]).toEqual([
    503,
    "2",
    "OVERLOADED",
  ]);
  expect((await harness.post(ORDERS, order("small"))).status).toBe(202);
  slow.finish();
  expect((await first).status).toBe(202);
  expect((await harness.post(ORDERS, large)).status).toBe(202);
  expect(harness.sent.reduce((sum, { header }) => sum + header.count, 0)).toBe(1_001);
});

test("what one request alone may never take is 413, and nothing of it is stored", async () => {
  const memory = { totalBytes: 1_000_000, requestBytes: 200_000, smallShareBytes: 0, smallBytes: 0 };
  const harness = createHarness({ limits: { memory } });
  const lines = Array.from({ length: 500 }, (_, index) => JSON.stringify(order(`o-${index}`, { channel: "fax" })));
  const refused = await harness.post(ORDERS, lines.join("\n"), { "content-type": "application/x-ndjson" });
  expect([refused.status, (await answer(refused)).code]).toEqual([413, "BODY_TOO_LARGE"]);
  expect(harness.sent).toEqual([]);
});

test("formats whose body is held have a smaller limit than lines, and an Idempotency-Key has the smallest", async () => {
  const harness = createHarness({ limits: { bodyBytes: 4_000, documentBytes: 2_000, idempotentBytes: 1_000 } });
  const events = [order("a"), order("b"), order("c"), order("d")];
  const lines = events.map((event) => JSON.stringify(event)).join("\n");
  expect(lines.length).toBeGreaterThan(1_100);
  const ndjson = { "content-type": "application/x-ndjson" };
  expect((await harness.post(ORDERS, lines, ndjson)).status).toBe(202);
  expect((await harness.post(ORDERS, lines, { ...ndjson, "idempotency-key": "k" })).status).toBe(413);
  expect((await harness.post(ORDERS, [...events, ...events])).status).toBe(413);
  const one = JSON.stringify(order("one"));
  expect((await harness.post(ORDERS, one, { "idempotency-key": "k2" })).status).toBe(202);
});
