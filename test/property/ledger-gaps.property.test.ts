/**
 * P8 between gateway and buffers: whatever shards the messages of whatever instances go to, and in whatever order, the gaps are
 * the numbers that did not arrive, but for those after an instance's last and those whose send failed, as later messages say.
 */

import fc from "fast-check";
import { expect, test } from "vitest";
import { type HourArrivals, NO_ARRIVALS, withArrivals } from "../../durable-objects/topic-buffer/arrivals.ts";
import { findGaps } from "../../lakehouse/ledger/gaps.ts";
import type { NumberRange } from "../../schemas/number-ranges.ts";
import { arrivalsBetween, publishArrivals } from "../../sql/statements/arrivals.ts";
import { longOrShare } from "../long-share.ts";
import { createD1 } from "../oracle/d1-on-sqlite.ts";
import { uuidAt } from "../oracle/frames.ts";

const START = Date.UTC(2026, 10, 21, 20);
const HOUR = 3_600_000;
const hourText = (hour: number) => `${new Date(START + hour * HOUR).toISOString().slice(0, 13)}:00:00Z`;

/** The messages of an instance in the order of their numbers: how many hours after the one before, to which shard, and whether they arrive. */
const instance = fc.record({
  before: fc.boolean(),
  messages: fc.array(
    fc.record({
      hours: fc.constantFrom(0, 0, 0, 1, 3),
      shard: fc.nat(3),
      fate: fc.constantFrom("arrives", "arrives", "lost", "unsent"),
      at: fc.nat(),
    }),
    { maxLength: 12 },
  ),
});

test("gaps are exactly what did not arrive, the tail excepted", async () => {
  let met = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(instance, { minLength: 1, maxLength: 4 }), async (instances) => {
      const from = hourText(0);
      const expected = new Map<string, number>();
      const sent = instances.flatMap(({ before, messages }, n) => {
        const gateway = uuidAt(before ? START - HOUR : START, n);
        let hour = 0;
        let pending: NumberRange[] = [];
        const numbered = messages.map(({ hours, shard, fate, at }, i) => {
          hour += hours;
          const unsent = pending;
          pending = fate === "unsent" ? [...unsent, [i + 1, i + 1]] : [];
          return { gateway, sequence: i + 1, request_id: "r", hour: hourText(hour), shard, fate, at, unsent };
        });
        const arrived = numbered.filter(({ fate }) => fate === "arrives");
        const told = new Set(arrived.flatMap(({ unsent }) => unsent.map(([number]) => number)));
        // Of an instance from before the window, what came before its first message in it is not judged.
        const first = before ? (arrived[0]?.sequence ?? 0) : 0;
        const last = arrived.at(-1)?.sequence ?? 0;
        const lost = numbered.filter(
          ({ fate, sequence }) => fate !== "arrives" && !told.has(sequence) && sequence > first && sequence < last,
        );
        if (lost.length > 0) expected.set(gateway, lost.length);
        return arrived;
      });
      const shards = new Map<string, HourArrivals>();
      for (const one of sent.sort((a, b) => a.at - b.at)) {
        const key = `${one.shard} ${one.hour}`;
        shards.set(key, withArrivals(shards.get(key) ?? NO_ARRIVALS, [one]));
      }
      const { d1 } = createD1();
      for (const [key, { messages, unnumbered, instances: known }] of shards) {
        const [shard, hour = ""] = key.split(" ");
        const name = { topic: "orders", shard: Number(shard), shardOf: 4, incarnation: "i" };
        const line = { hour, messages, unnumbered, instances: JSON.stringify(known) };
        // Twice: an answer may be lost.
        await d1.batch([publishArrivals(d1, name, [line]), publishArrivals(d1, name, [line])]);
      }
      const gaps = findGaps(await arrivalsBetween(d1, ["orders"], from, hourText(100)), from);
      const found = new Map<string, number>();
      for (const gap of gaps) found.set(gap.instance, (found.get(gap.instance) ?? 0) + gap.messages);
      expect(found).toEqual(expected);
      met += expected.size;
    }),
    { numRuns: longOrShare(150, 50) },
  );
  expect(met).toBeGreaterThan(longOrShare(20, 4));
});
