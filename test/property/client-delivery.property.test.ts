/** Whatever the gateway does, every send ends exactly once, and what was called accepted is what the gateway took. */

import fc from "fast-check";
import { afterEach, expect, test, vi } from "vitest";
import { createClient, type Verdict } from "../../producers/client/client.ts";
import { longOrShare } from "../long-share.ts";
import { createFakeGateway, type EventAnswer, type FakeAnswer } from "../unit/producers/client/fake-gateway.ts";

afterEach(() => vi.useRealTimers());

const verdict = fc.constantFrom<EventAnswer[]>("accepted", "rejected", "retry");
const answer: fc.Arbitrary<FakeAnswer> = fc.oneof(
  fc.array(verdict, { minLength: 1, maxLength: 7 }).map((cycle) => ({
    verdict: (_: unknown, index: number): EventAnswer => cycle[index % cycle.length] ?? "accepted",
  })),
  fc.record({
    status: fc.constantFrom(400, 401, 408, 413, 415, 429, 500, 502, 503),
    retryAfter: fc.constantFrom("0", "3"),
  }),
  fc.record({ status: fc.constantFrom(200, 202, 207), text: fc.constantFrom("", "{}", "<html>", '{"results":[]}') }),
  fc.record({ lost: fc.constantFrom<("before" | "after")[]>("before", "after") }),
);

test("every send ends once; accepted is what was stored, copies with the same id aside", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(answer, { maxLength: 12 }),
      fc.array(fc.record({ topic: fc.constantFrom("a", "b"), pauseMs: fc.nat(120), pad: fc.nat(200) }), {
        maxLength: 40,
      }),
      fc.record({
        maxBatchEvents: fc.integer({ min: 1, max: 8 }),
        maxBatchBytes: fc.integer({ min: 50, max: 1_000 }),
        maxBufferBytes: fc.integer({ min: 50, max: 3_000 }),
        maxInFlight: fc.integer({ min: 1, max: 5 }),
        lingerMs: fc.nat(60),
      }),
      async (script, sends, limits) => {
        vi.useFakeTimers();
        // After the script the gateway is well again: an outage without end has no verdicts.
        const gateway = createFakeGateway((_, index) => script[index] ?? { verdict: () => "accepted" });
        const client = createClient<Record<string, object>>({
          url: "http://gateway.test",
          key: "k",
          fetch: gateway.fetch,
          gzip: "off",
          chance: () => 0.5,
          eventIdFields: {},
          ...limits,
        });
        const verdicts = new Map<string, Verdict[]>();
        for (const [index, { topic, pauseMs, pad }] of sends.entries()) {
          const event_id = `e-${index}`;
          verdicts.set(event_id, []);
          void client
            .send(topic, { event_id, pad: "x".repeat(pad) })
            .then((each) => verdicts.get(event_id)?.push(each));
          await vi.advanceTimersByTimeAsync(pauseMs);
        }
        const closed = client.close({ timeoutMs: 3_600_000 });
        await vi.advanceTimersByTimeAsync(1_800_000);
        await closed;

        const stored = new Set(gateway.stored);
        for (const [id, ends] of verdicts) {
          expect(ends).toHaveLength(1);
          const status = ends[0]?.status;
          if (status === "accepted") expect(stored).toContain(id);
          // What was stored with a lost answer may end otherwise only if a later try was refused.
          if (stored.has(id) && status !== "accepted") {
            expect(
              gateway.requests.filter(({ events }) => events.some(({ event_id }) => event_id === id)).length,
            ).toBeGreaterThan(1);
          }
        }
        expect([...stored].every((id) => verdicts.has(id))).toBe(true);
        expect(gateway.peak()).toBeLessThanOrEqual(limits.maxInFlight);
        for (const { events } of gateway.requests) expect(events.length).toBeLessThanOrEqual(limits.maxBatchEvents);
        expect(vi.getTimerCount()).toBe(0);
      },
    ),
    { numRuns: longOrShare(150, 60) },
  );
});

test("poison fails alone: whatever else travelled with it is stored, in few requests", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.boolean(), { minLength: 1, maxLength: 60 }),
      fc.constantFrom({ status: 413, code: "BODY_TOO_LARGE" }, { status: 400, code: "MALFORMED_PAYLOAD" }),
      fc.integer({ min: 1, max: 20 }),
      fc.constantFrom<(FakeAnswer | null)[]>(null, { lost: "before" }, { status: 503, retryAfter: "1" }),
      async (poisoned, refusal, maxBatchEvents, trouble) => {
        vi.useFakeTimers();
        const gateway = createFakeGateway(({ events }, index) => {
          if (trouble !== null && index % 3 === 0 && index < 30) return trouble;
          return events.some(({ poison }) => poison === true) ? refusal : { verdict: () => "accepted" };
        });
        const client = createClient<Record<string, object>>({
          url: "http://gateway.test",
          key: "k",
          fetch: gateway.fetch,
          gzip: "off",
          chance: () => 0.5,
          eventIdFields: {},
          maxBatchEvents,
        });
        const verdicts = client.sendMany(
          "a",
          poisoned.map((poison, index) => ({ event_id: `e-${index}`, poison })),
        );
        await vi.advanceTimersByTimeAsync(600_000);
        const statuses = (await verdicts).map(({ status }) => status);
        expect(statuses).toEqual(poisoned.map((poison) => (poison ? "undelivered" : "accepted")));
        const sound = poisoned.flatMap((poison, index) => (poison ? [] : [`e-${index}`]));
        expect([...gateway.stored].sort()).toEqual(sound.sort());
        // Halving: each poisoned event costs two requests a level at most, a batch its one; and the troubles their own.
        const batches = Math.ceil(poisoned.length / maxBatchEvents);
        const levels = Math.ceil(Math.log2(maxBatchEvents)) + 1;
        const poisons = poisoned.filter((poison) => poison).length;
        expect(gateway.requests.length).toBeLessThanOrEqual(batches + 2 * levels * poisons + 10);
        await client.close();
        expect(vi.getTimerCount()).toBe(0);
      },
    ),
    { numRuns: longOrShare(100, 40) },
  );
});
