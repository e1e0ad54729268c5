import { describe, expect, it } from "vitest";
import { answer, createHarness, deadLetters, type Harness, order } from "./harness.ts";

const ORDERS = "/v1/topics/orders/events";

/** 1,500 events, every fifth of them refused: several messages of both topics. */
function mixed(): Record<string, unknown>[] {
  return Array.from({ length: 1_500 }, (_, index) => order(`e${index}`, index % 5 === 0 ? { amount: 1 } : {}));
}

function stored(harness: Harness): Set<number> {
  return new Set(harness.sent.flatMap(({ envelopes }) => envelopes.map(({ index }) => index)));
}

describe("a send that fails", () => {
  it("costs exactly its own events, whichever send it is", async () => {
    const probe = createHarness();
    await probe.post(ORDERS, mixed());
    const sends = probe.sent.length;
    expect(sends).toBeGreaterThan(3);
    for (let failed = 0; failed < sends; failed++) {
      const harness = createHarness();
      harness.failSends(failed);
      const response = await harness.post(`${ORDERS}?results=all`, mixed());
      expect(response.status).toBe(207);
      expect(response.headers.get("retry-after")).toBe("5");
      const { results, accepted, rejected, retry } = await answer(response);
      expect(accepted + rejected + retry).toBe(1_500);
      expect(retry).toBeGreaterThan(0);
      const durable = stored(harness);
      for (const { index, status, errors, code } of results) {
        expect(status === "retry").toBe(!durable.has(index));
        if (status === "retry") expect({ errors, code }).toEqual({ errors: [], code: "QUEUE_UNAVAILABLE" });
        else expect(status).toBe(index % 5 === 0 ? "rejected" : "accepted");
      }
    }
  });

  it("is a 503 with results and Retry-After when it is every send", async () => {
    const harness = createHarness();
    harness.failAllSends();
    const response = await harness.post(ORDERS, mixed());
    expect(response.status).toBe(503);
    expect(response.headers.get("retry-after")).toBe("5");
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    const body = await answer(response);
    expect(body).toMatchObject({ code: "QUEUE_UNAVAILABLE", accepted: 0, rejected: 0, retry: 1_500 });
    expect(body.results).toHaveLength(1_500);
  });

  it("of a dead letter's payload to the lake makes that event a retry", async () => {
    const harness = createHarness();
    harness.failPuts();
    const events = [order("a"), order("b", { amount: 1, note: "x".repeat(50_000) }), order("c", { amount: 1 })];
    const response = await harness.post(ORDERS, events);
    expect(response.status).toBe(207);
    expect((await answer(response)).results.map(({ index, status, code }) => [index, status, code])).toEqual([
      [1, "retry", "STORAGE_UNAVAILABLE"],
      [2, "rejected", undefined],
    ]);
    expect(deadLetters(harness)).toHaveLength(1);
  });

  it("of the dead letter of an unreadable document is a 503", async () => {
    const harness = createHarness();
    harness.failAllSends();
    expect((await harness.post(ORDERS, "[{]")).status).toBe(503);
  });
});
