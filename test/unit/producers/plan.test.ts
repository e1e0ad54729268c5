import { describe, expect, test } from "vitest";
import { anyTopicFaults } from "../../../producers/simulators/faults/any-topic.ts";
import { clickFaults } from "../../../producers/simulators/faults/clickstream.ts";
import { orderFaults } from "../../../producers/simulators/faults/orders.ts";
import { paymentFaults } from "../../../producers/simulators/faults/payments.ts";
import { weatherFaults } from "../../../producers/simulators/faults/weather.ts";
import { type SimulatedEvent, type SimulationOptions, simulate } from "../../../producers/simulators/plan.ts";
import { SIMULATED_TOPICS } from "../../../producers/simulators/shop.ts";
import { expectEqual } from "../../oracle/expect-equal.ts";
import { contractCheck } from "./contract-check.ts";

const HOUR_MS = 3_600_000;
const endMs = Date.parse("2026-11-21T12:00:00Z");
const base = { seed: 11, events: 6_000, startMs: endMs - 6 * HOUR_MS, endMs } satisfies SimulationOptions;
const COVERED = [
  "EVENT_TOO_LARGE",
  "INVALID_ENUM",
  "INVALID_FORMAT",
  "MALFORMED_PAYLOAD",
  "MISSING_FIELD",
  "RULE_VIOLATION",
  "TIMESTAMP_OUT_OF_RANGE",
  "TYPE_MISMATCH",
  "UNKNOWN_SCHEMA",
  "VALUE_OUT_OF_RANGE",
];

const run = (options: Partial<SimulationOptions> = {}): SimulatedEvent[] => [...simulate({ ...base, ...options })];
const share = (events: readonly SimulatedEvent[], keep: (event: SimulatedEvent) => boolean) =>
  events.filter(keep).length / events.length;
const expectedTypes = (events: readonly SimulatedEvent[]) =>
  new Set(events.flatMap(({ label }) => (label.kind === "fault" ? [label.expected] : [])));
const timeOf = (event: SimulatedEvent): number => Date.parse(JSON.parse(event.line).event_timestamp);

describe("simulate", () => {
  test("gives the same bytes for the same seed and window, on every iteration", () => {
    const iterable = simulate({ ...base, events: 2_000 });
    const first = [...iterable];
    expectEqual([...iterable], first);
    expectEqual(run({ events: 2_000 }), first);
    expect(run({ events: 2_000, seed: 12 })).not.toEqual(first);
  });

  test("the same seed at another time shares no event id", () => {
    const ids = new Set(run({ events: 500 }).map((event) => event.eventId));
    const later = run({ events: 500, startMs: base.startMs + 1, endMs: endMs + 1 });
    expect(later.filter(({ eventId }) => eventId !== null && ids.has(eventId))).toEqual([]);
  });

  test.each([0, 1, 37, 2_000])("gives exactly %i events", (events) => {
    expect(run({ events })).toHaveLength(events);
  });

  test("each error type occurs in 2,000 events, whatever the seed, even with few faults", () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      expect([...expectedTypes(run({ seed, events: 2_000 }))].sort()).toEqual(COVERED);
      expect([...expectedTypes(run({ seed, events: 2_000, faultRate: 0.0001 }))].sort()).toEqual(COVERED);
    }
  });

  test("oversized events are rare", () => {
    const oversized = run({ events: 20_000 }).filter(({ line }) => line.length > 20_000);
    expect(oversized.length).toBeGreaterThanOrEqual(1);
    expect(oversized.length).toBeLessThanOrEqual(2);
    for (const { line } of oversized) expect(Buffer.byteLength(line)).toBeGreaterThan(100 * 1024);
  });

  test("keeps to the rates and to the shares of topics", () => {
    const events = run({ events: 20_000 });
    expect(share(events, ({ label }) => label.kind === "fault")).toBeCloseTo(0.05, 2);
    expect(share(events, ({ label }) => label.kind === "duplicate")).toBeCloseTo(0.02, 2);
    expect(share(events, ({ label }) => label.kind === "late")).toBeCloseTo(0.03, 2);
    const shares = { clickstream: 0.6, orders: 0.18, payments: 0.17, weather: 0.05 };
    for (const topic of SIMULATED_TOPICS) {
      expect(Math.abs(share(events, (event) => event.topic === topic) - shares[topic])).toBeLessThan(0.03);
    }
  });

  test("everything but faults is valid by its contract when the window ends", () => {
    for (const { topic, line, label, eventId } of run()) {
      if (label.kind === "fault") continue;
      expectEqual([line, contractCheck(topic).errorTypes(line, endMs)], [line, []]);
      expectEqual(JSON.parse(line).event_id, eventId);
    }
  });

  test("each fault has one error type, the labelled one; every fault of every topic comes up", () => {
    const names = new Set<string>();
    const collect = (events: readonly SimulatedEvent[]) => {
      for (const { topic, line, label } of events) {
        if (label.kind !== "fault") continue;
        names.add(`${topic}.${label.fault}`);
        const excerpt = `${label.fault}: ${line.slice(0, 500)}`;
        expectEqual([excerpt, contractCheck(topic).errorTypes(line, endMs)], [excerpt, [label.expected]]);
        expect(line).not.toContain("\n");
      }
    };
    for (const topic of SIMULATED_TOPICS) collect(run({ topics: [topic], events: 1_500, faultRate: 0.6 }));
    const own = { orders: orderFaults, payments: paymentFaults, clickstream: clickFaults, weather: weatherFaults };
    const known = SIMULATED_TOPICS.flatMap((topic) =>
      [...own[topic], ...anyTopicFaults].map((fault) => `${topic}.${fault.name}`),
    );
    // Orders are made too large by their items, not by a field that nobody knows.
    expect([...names].sort()).toEqual(known.filter((name) => name !== "orders.debug_dump_attached").sort());
  });

  test("a fault's id is given where a reader could find it", () => {
    for (const { line, label, eventId } of run()) {
      if (label.kind !== "fault") continue;
      const hidden = label.expected === "MALFORMED_PAYLOAD" || label.fault === "event_id_missing";
      expectEqual(hidden ? eventId : JSON.parse(line).event_id, hidden ? null : eventId);
    }
  });

  test("duplicates are the same bytes as an earlier valid event", () => {
    const earlier = new Map<string, string>();
    for (const { line, label, eventId } of run()) {
      if (label.kind === "duplicate") {
        expectEqual(earlier.get(label.of), line);
        expectEqual(eventId, label.of);
      } else if (label.kind !== "fault" && eventId !== null) {
        expectEqual(earlier.has(eventId), false);
        earlier.set(eventId, line);
      }
    }
  });

  test("event times of good events rise through the window; late ones lie 1 to 40 hours back", () => {
    const events = run();
    const times = events.filter(({ label }) => label.kind === "good").map(timeOf);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(times[0]).toBeGreaterThanOrEqual(base.startMs);
    expect(times[0]).toBeLessThan(base.startMs + HOUR_MS / 10);
    expect(times.at(-1)).toBeLessThanOrEqual(endMs);
    expect(times.at(-1)).toBeGreaterThan(endMs - HOUR_MS / 10);
    const behind = events.flatMap(({ label }) => (label.kind === "late" ? [label.behindMs / HOUR_MS] : []));
    expect(Math.min(...behind)).toBeGreaterThanOrEqual(1);
    expect(Math.max(...behind)).toBeLessThanOrEqual(40);
    expect(Math.max(...behind)).toBeGreaterThan(20);
  });

  test("a window of two days keeps late clicks inside the contract's three", () => {
    const check = contractCheck("clickstream");
    for (const { line, label } of run({ startMs: endMs - 60 * HOUR_MS, topics: ["clickstream"], lateRate: 0.3 })) {
      if (label.kind === "late") expect(check.errorTypes(line, endMs + HOUR_MS)).toEqual([]);
    }
  });

  test("a subset of topics keeps to itself and provokes what it can", () => {
    const clicks = run({ topics: ["clickstream"], events: 2_000 });
    expect(new Set(clicks.map((event) => event.topic))).toEqual(new Set(["clickstream"]));
    expect([...expectedTypes(clicks)].sort()).toEqual(COVERED.filter((type) => type !== "RULE_VIOLATION"));
    const payments = run({ topics: ["payments"], events: 2_000 });
    expect(new Set(payments.map((event) => event.topic))).toEqual(new Set(["payments"]));
    expect([...expectedTypes(payments)].sort()).toEqual(COVERED);
  });

  test("rates of zero mean none, and an empty window is a moment", () => {
    const events = run({ faultRate: 0, duplicateRate: 0, lateRate: 0, startMs: endMs });
    expect(share(events, ({ label }) => label.kind === "good")).toBe(1);
    expect(new Set(events.map(timeOf))).toEqual(new Set([endMs]));
  });

  test("refuses options that make no sense", () => {
    expect(() => run({ events: -1 })).toThrow(RangeError);
    expect(() => run({ events: 1.5 })).toThrow(RangeError);
    expect(() => run({ topics: [] })).toThrow(RangeError);
    expect(() => run({ faultRate: 0.99 })).toThrow(RangeError);
    expect(() => run({ lateRate: -0.1 })).toThrow(RangeError);
    expect(() => run({ startMs: endMs + 1 })).toThrow(RangeError);
    expect(() => run({ startMs: endMs - 72 * HOUR_MS })).toThrow(/oldest events/);
  });
});
