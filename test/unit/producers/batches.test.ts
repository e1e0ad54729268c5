import { describe, expect, test } from "vitest";
import { type Batch, encodeBody, intoBatches } from "../../../producers/simulators/batches.ts";
import { type SimulatedEvent, simulate } from "../../../producers/simulators/plan.ts";

const endMs = Date.parse("2026-11-21T12:00:00Z");
const events = [...simulate({ seed: 8, events: 4_000, startMs: endMs - 3_600_000, endMs, faultRate: 0.3 })];

async function batchesOf(some: Iterable<SimulatedEvent>, size: number): Promise<Batch[]> {
  const batches: Batch[] = [];
  for await (const batch of intoBatches(some, size)) batches.push(batch);
  return batches;
}

describe("intoBatches", () => {
  test("loses nothing, and keeps a topic's order within lines and arrays", async () => {
    const batches = await batchesOf(events, 7);
    expect(new Set(batches.flatMap((batch) => batch.events))).toEqual(new Set(events));
    expect(batches.flatMap((batch) => batch.events)).toHaveLength(events.length);
    const place = new Map(events.map((event, index) => [event, index]));
    for (const batch of batches) {
      const places = batch.events.map((event) => place.get(event) ?? -1);
      expect(places).toEqual(places.toSorted((a, b) => a - b));
      for (const event of batch.events) expect(event.topic).toBe(batch.topic);
      expect(batch.events.length).toBeLessThanOrEqual(7);
    }
  });

  test("puts malformed events only into lines; every document parses", async () => {
    const batches = await batchesOf(events, 7);
    const malformed = (batch: Batch) =>
      batch.events.some(({ label }) => label.kind === "fault" && label.expected === "MALFORMED_PAYLOAD");
    expect(batches.some(malformed)).toBe(true);
    for (const batch of batches) {
      const { body, contentType } = encodeBody(batch);
      expect(contentType).toBe(batch.format === "ndjson" ? "application/x-ndjson" : "application/json");
      if (batch.format === "ndjson") expect(body.split("\n")).toHaveLength(batch.events.length + 1);
      else expect([malformed(batch), typeof JSON.parse(body)]).toEqual([false, "object"]);
    }
    expect(new Set(batches.map((batch) => batch.format))).toEqual(new Set(["ndjson", "array", "object"]));
  });

  test("closes a batch before a megabyte", async () => {
    const [event] = events;
    if (event === undefined) throw new Error("no events");
    const large = Array.from({ length: 12 }, (): SimulatedEvent => ({ ...event, line: `"${"é".repeat(120_000)}"` }));
    expect((await batchesOf(large, 200)).map((batch) => batch.events.length)).toEqual([4, 4, 4]);
  });
});
