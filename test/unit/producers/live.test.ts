import { describe, expect, test } from "vitest";
import { admitterOf } from "../../../gateway/admit/topics.ts";
import { livePlan, liveSource } from "../../../producers/simulators/live.ts";
import { orderLog } from "../../../producers/simulators/order-changes.ts";
import { createRandom } from "../../../producers/simulators/random.ts";
import { restaurantSnapshots } from "../../../producers/simulators/restaurants.ts";
import { ALL_TOPICS, POLLED_TOPICS } from "../../../producers/simulators/topics.ts";
import { userExtracts } from "../../../producers/simulators/users.ts";
import { createEventBuffer } from "../../../schemas/event-buffer.ts";
import { parseExactJson } from "../../../schemas/exact-json.ts";
import { expectEqual } from "../../oracle/expect-equal.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const nowMs = Date.parse("2026-11-21T12:34:56.789Z");
const idOf = (event: { readonly event_id: string }) => event.event_id;

describe("the order log", () => {
  const log = orderLog(createRandom(1), 1);

  test("read piecewise it is the log read at once, in the order of its positions", () => {
    const whole = log.poll(nowMs - HOUR_MS, nowMs);
    const pieces: string[] = [];
    let watermarkMs: number | null = nowMs - HOUR_MS;
    for (let at = nowMs - HOUR_MS; at <= nowMs; at += 30_000) {
      const batch = orderLog(createRandom(1), 1).poll(watermarkMs, at);
      pieces.push(...batch.events.map(idOf));
      watermarkMs = batch.watermarkMs;
    }
    expect(pieces).toEqual(whole.events.map(idOf));
    expect(new Set(pieces).size).toBe(pieces.length);
    const positions = whole.events.map((event) => event.lsn);
    expect(positions).toEqual(positions.toSorted((a, b) => a - b));
  });

  test("has 10 to 30 changes a minute, and twice the speed gives twice as many", () => {
    const perMinute = log.poll(nowMs - 6 * HOUR_MS, nowMs).events.length / 360;
    expect(perMinute).toBeGreaterThan(10);
    expect(perMinute).toBeLessThan(30);
    const twice = orderLog(createRandom(1), 2).poll(nowMs - 6 * HOUR_MS, nowMs).events.length / 360;
    expect(twice / perMinute).toBeCloseTo(2, 0);
  });

  test("in a fast world nothing is lost between polls, and as much is kept", () => {
    const fast = orderLog(createRandom(1), 600);
    const whole = fast.poll(nowMs - 4_000, nowMs).events.map(idOf);
    const halves = [fast.poll(nowMs - 4_000, nowMs - 1_777), fast.poll(nowMs - 1_777, nowMs)];
    expect(halves.flatMap((batch) => batch.events.map(idOf))).toEqual(whole);
    expect(whole.length).toBeGreaterThan(400);
    expect(fast.poll(null, nowMs).events.length).toBeLessThan(3_000);
  });

  test("each change goes on from the row that the one before left", () => {
    const rows = new Map<string, unknown>();
    for (const { order_id, op, before, after } of log.poll(nowMs - 4 * HOUR_MS, nowMs).events) {
      if (op === "insert") expect([rows.has(order_id), before]).toEqual([false, null]);
      else if (rows.has(order_id)) expect(before).toEqual(rows.get(order_id));
      rows.set(order_id, after);
    }
    expect([...rows.values()]).toContain(null);
  });

  test("a reset watermark gives the last hour again, under the same ids", () => {
    const again = log.poll(null, nowMs).events.map(idOf);
    expect(again).toEqual(log.poll(nowMs - HOUR_MS, nowMs).events.map(idOf));
    expect(again.length).toBeGreaterThan(0);
  });
});

describe("restaurant snapshots", () => {
  const source = restaurantSnapshots(createRandom(1));

  test("are taken once an hour, whole", () => {
    const first = source.poll(null, nowMs);
    expect(first.watermarkMs).toBe(Date.parse("2026-11-21T12:00:00Z"));
    expect(new Set(first.events.map((row) => row.restaurant_id)).size).toBe(first.events.length);
    expect(first.events.length).toBeGreaterThan(50);
    expect(source.poll(first.watermarkMs, nowMs + 20 * MINUTE_MS).events).toEqual([]);
    const next = source.poll(first.watermarkMs, nowMs + HOUR_MS);
    expect(next.events.map((row) => row.restaurant_id)).toEqual(first.events.map((row) => row.restaurant_id));
    expect(next.events.map(idOf)).not.toEqual(first.events.map(idOf));
  });

  test("a reset watermark gives the hour's snapshot again, byte by byte", () => {
    expect(restaurantSnapshots(createRandom(1)).poll(null, nowMs + MINUTE_MS)).toEqual(source.poll(null, nowMs));
  });
});

describe("user extracts", () => {
  const source = userExtracts(createRandom(1));

  test("the first holds everybody, the next only who changed something since", () => {
    const first = source.poll(null, nowMs);
    expect(first.events.length).toBe(2_000);
    const next = source.poll(first.watermarkMs, nowMs + DAY_MS);
    expect(next.events.length).toBeGreaterThan(10);
    expect(next.events.length).toBeLessThan(400);
    const known = new Set(first.events.map(idOf));
    for (const event of next.events) {
      expect(known).not.toContain(event.event_id);
      expect(Date.parse(event.updated_at)).toBeGreaterThan(first.watermarkMs);
    }
    expect(source.poll(next.watermarkMs, nowMs + DAY_MS)).toEqual({ events: [], watermarkMs: next.watermarkMs });
  });

  test("a reset watermark repeats ids, so that silver keeps one of each", () => {
    expect(source.poll(null, nowMs + MINUTE_MS).events.map(idOf)).toEqual(source.poll(null, nowMs).events.map(idOf));
  });

  test("whoever is deleted has no e-mail, phone or address", () => {
    const deleted = source.poll(null, nowMs).events.filter((event) => event.status === "deleted");
    expect(deleted.length).toBeGreaterThan(0);
    for (const event of deleted)
      expect([event.email, event.phone, event.address]).toEqual([undefined, undefined, undefined]);
  });
});

describe("a live plan", () => {
  test("has the usual rates: clicks ten a second, apps 50 to 160 a minute", () => {
    const plan = livePlan(ALL_TOPICS, null);
    expect(plan.shares.clickstream).toBe(600);
    expect(plan.shares.app_events).toBeGreaterThan(50);
    expect(plan.shares.app_events).toBeLessThan(160);
    expect(plan.speed).toBe(1);
    expect(plan.eventsPerSecond).toBeCloseTo((600 + 105 + 60 + 20 + 38 + 15) / 60, 6);
    expect([...plan.streamed, ...plan.polled].sort()).toEqual([...ALL_TOPICS].sort());
  });

  test("a rate is the events a second of all that never rests", () => {
    expect(livePlan(["clickstream"], 50)).toMatchObject({ eventsPerSecond: 50, speed: 5, polled: [] });
    expect(livePlan(["order_changes"], 2)).toMatchObject({ eventsPerSecond: 0, speed: 6 });
    expect(livePlan(["restaurants", "users"], 1_000)).toMatchObject({ eventsPerSecond: 0, speed: 1 });
  });
});

describe.each(POLLED_TOPICS)("a poll of %s", (topic) => {
  test("sends every row, and broken ones beside them that get the verdict of their labels", () => {
    const source = liveSource(topic, 7, 5);
    const { events } = source.poll(null, nowMs);
    const faults = events.filter((event) => event.label.kind === "fault");
    expect(faults.length).toBeGreaterThan(0);
    expect(faults.length).toBeLessThan(events.length / 5);
    expect(liveSource(topic, 7, 5).poll(null, nowMs).events).toEqual(events);
    const admitter = admitterOf(topic);
    if (admitter === undefined) throw new Error(`no topic ${topic}`);
    const context = {
      received: nowMs * 1_000,
      suspectSurrogates: true,
      masker: {
        digests: () => [],
        mask: () => "masked",
        seal: (_topic: string, text: string | Uint8Array) => String(text),
      },
    };
    for (const { line, label } of events) {
      const expected = label.kind === "fault" ? [label.expected] : [];
      const got = ((): string[] => {
        let event: unknown;
        try {
          event = parseExactJson(line);
        } catch {
          return ["MALFORMED_PAYLOAD"];
        }
        const admission = admitter.admit(event, 0, null, { ...context, output: createEventBuffer(16) });
        return admission.accepted ? [] : [...new Set(admission.errors.map((error) => error.error_type))];
      })();
      expectEqual([line, got], [line, expected]);
    }
  });
});
