/** What the simulators say of their events is what the gateway says of them: every topic, every fault, by admission itself. */
import { describe, expect, test } from "vitest";
import { admitterOf } from "../../../gateway/admit/topics.ts";
import type { Masker } from "../../../gateway/masking/masker.ts";
import { faultsOf } from "../../../producers/simulators/faults.ts";
import { type SimulatedEvent, simulate } from "../../../producers/simulators/plan.ts";
import { ALL_TOPICS, type SimulatedTopic } from "../../../producers/simulators/topics.ts";
import { createEventBuffer } from "../../../schemas/event-buffer.ts";
import { parseExactJson } from "../../../schemas/exact-json.ts";
import { expectEqual } from "../../oracle/expect-equal.ts";

const HOUR_MS = 3_600_000;
const endMs = Date.parse("2026-11-21T12:00:00Z");

/** Not secret, but as long as the real one's values. */
const masker: Masker = {
  digests: (text) => [text],
  mask: () => "masked",
  seal: (_topic, content) => Buffer.from(content).toString("base64url"),
};

/** The error types of admission; none: it is accepted. */
function verdict({ topic, line }: SimulatedEvent): string[] {
  let event: unknown;
  try {
    event = parseExactJson(line);
  } catch {
    return ["MALFORMED_PAYLOAD"];
  }
  const admitter = admitterOf(topic);
  if (admitter === undefined) throw new Error(`no topic ${topic}`);
  const admission = admitter.admit(event, 0, null, {
    received: endMs * 1_000,
    suspectSurrogates: true,
    output: createEventBuffer(16),
    masker,
  });
  return admission.accepted ? [] : [...new Set(admission.errors.map((error) => error.error_type))];
}

function run(topics: readonly SimulatedTopic[], events: number, faultRate: number): SimulatedEvent[] {
  return [...simulate({ seed: 3, topics, events, faultRate, startMs: endMs - 6 * HOUR_MS, endMs })];
}

describe.each(ALL_TOPICS)("%s", (topic) => {
  test("good, late and repeated events are accepted, each id once", () => {
    const ids = new Set<string | null>();
    // Thousands of events: one assertion of them all costs less than four of each.
    const wrong: unknown[] = [];
    for (const event of run([topic], 1_500, 0)) {
      const { line, eventId, label } = event;
      const errors = verdict(event);
      const told = JSON.parse(line).event_id === eventId && ids.has(eventId) === (label.kind === "duplicate");
      if (errors.length > 0 || !told) wrong.push({ line, eventId, label, errors });
      if (eventId !== null) ids.add(eventId);
    }
    expect(wrong).toEqual([]);
    expect(ids.size).toBeGreaterThan(0);
  });

  test("each fault gets the verdict of its label and no other, and every fault comes up", () => {
    const names = new Set<string>();
    for (const event of run([topic], 1_500, 0.6)) {
      if (event.label.kind !== "fault") continue;
      names.add(event.label.fault);
      const excerpt = `${event.label.fault}: ${event.line.slice(0, 500)}`;
      expectEqual([excerpt, verdict(event)], [excerpt, [event.label.expected]]);
    }
    const known = faultsOf(topic).map((fault) => fault.name);
    // Orders are made too large by their items, not by a field that nobody knows.
    expect([...names].sort()).toEqual(
      known.filter((name) => `${topic}.${name}` !== "orders.debug_dump_attached").sort(),
    );
  });
});

test("a run of all topics keeps to the shares it is given", () => {
  const shares = { clickstream: 0, orders: 0, payments: 0, weather: 0, users: 3, app_events: 1 };
  const options = { seed: 1, topics: ALL_TOPICS, shares, events: 4_000, startMs: endMs - HOUR_MS, endMs };
  const events = [...simulate({ ...options, faultRate: 0 })];
  const count = (topic: SimulatedTopic) => events.filter((event) => event.topic === topic).length;
  expect(count("clickstream")).toBe(0);
  expect(count("users") / count("app_events")).toBeGreaterThan(2);
  expect(new Set(events.map((event) => event.topic)).size).toBe(5);
});
