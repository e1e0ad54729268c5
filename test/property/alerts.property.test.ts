/**
 * Alerts by random histories: conditions come and go, sources fail, the queue fails, ticks crash at any statement or run two
 * at once. Whoever reads the topic sees, for every alert, firing and then resolved, once each per time that it fired; and
 * when all is quiet, exactly what holds is firing.
 */

import fc from "fast-check";
import { expect, test } from "vitest";
import { alertDuty } from "../../scheduled/alerts/duty.ts";
import type { Condition, ConditionSource } from "../../scheduled/conditions/condition.ts";
import { longOrShare } from "../long-share.ts";
import { type D1Fault, FaultyD1 } from "../oracle/faulty-d1.ts";
import { createReceiver } from "../unit/scheduled/platform-events/receiver.ts";

type Op =
  | { readonly do: "tick" | "twoTicks" | "queueFails" | "sourceFails" | "sourceHeals" }
  | { readonly do: "set" | "clear"; readonly source: number; readonly key: number }
  /** A tick that ends with its n-th call of the database, done or not. */
  | { readonly do: "crash"; readonly call: number; readonly fault: D1Fault }
  | { readonly do: "advance"; readonly minutes: number };

const source = fc.nat(1);
// Few, so that the same alert comes and goes more than once.
const key = fc.constantFrom(0, 0, 0, 1);
const op: fc.Arbitrary<Op> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constantFrom("tick" as const, "tick" as const, "twoTicks" as const) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constantFrom("set" as const, "clear" as const), source, key }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("crash" as const),
      call: fc.nat(4),
      fault: fc.constantFrom<D1Fault>("before", "after"),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom("queueFails" as const, "sourceFails" as const, "sourceHeals" as const),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("advance" as const), minutes: fc.constantFrom(1, 30, 300) }) },
);

class World {
  readonly db = new FaultyD1();
  readonly receiver = createReceiver();
  readonly holds: Set<string>[] = [new Set(), new Set()];
  now = Date.UTC(2026, 10, 21);
  broken = false;

  readonly sources: readonly ConditionSource[] = this.holds.map((keys, n) => ({
    name: `s${n}`,
    find: async () => {
      if (n === 0 && this.broken) throw new Error("cannot look");
      return [...keys].map((each): Condition => ({ key: each, kind: "freshness", severity: "warning", message: each }));
    },
  }));

  async tick(...faults: (D1Fault | undefined)[]): Promise<void> {
    this.now += 1_000;
    this.db.faults.splice(0, Number.POSITIVE_INFINITY, ...faults);
    const deps = { ...this.receiver, db: this.db.binding, sources: this.sources };
    await alertDuty(deps, this.now).catch(() => {});
    this.db.faults.length = 0;
  }

  async play(one: Op): Promise<void> {
    switch (one.do) {
      case "tick":
        return await this.tick();
      case "twoTicks":
        await Promise.all([this.tick(), this.tick()]);
        return;
      case "crash":
        return await this.tick(...Array.from({ length: one.call }, () => undefined), one.fault);
      case "queueFails":
        this.receiver.setDown(true);
        await this.tick();
        this.receiver.setDown(false);
        return;
      case "sourceFails":
        this.broken = true;
        return;
      case "sourceHeals":
        this.broken = false;
        return;
      case "set":
        this.holds[one.source]?.add(`k${one.source}/${one.key}`);
        return;
      case "clear":
        this.holds[one.source]?.delete(`k${one.source}/${one.key}`);
        return;
      case "advance":
        this.now += one.minutes * 60_000;
    }
  }

  /** The events as silver has them, one per id, by alert. */
  alerts(): Map<string, readonly Record<string, unknown>[]> {
    const first = new Map<unknown, Record<string, unknown>>();
    for (const event of this.receiver.events) if (!first.has(event["event_id"])) first.set(event["event_id"], event);
    return Map.groupBy(first.values(), (event) => String(event["alert_id"]));
  }
}

const REPEAT_MS = 4 * 3_600_000;
const timeOf = (event: Record<string, unknown>) => Date.parse(String(event["event_timestamp"]));

test("every alert fires and is resolved in turn, and in the end what holds is firing", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(op, { maxLength: 40 }), async (ops) => {
      const world = new World();
      for (const one of ops) await world.play(one);
      world.broken = false;
      await world.tick();
      await world.tick();
      const firing: string[] = [];
      for (const [alert, events] of world.alerts()) {
        const states = events.map((event) => event["state"]);
        const changes = states.filter((state, i) => state !== states[i - 1]);
        expect(changes).toEqual(changes.map((_, i) => (i % 2 === 0 ? "firing" : "resolved")));
        events.forEach((event, i) => {
          const before = events[i - 1];
          if (before === undefined || before["state"] !== event["state"]) return;
          // Said again only because it lasts, and it is gone only once.
          expect(event["state"]).toBe("firing");
          expect(timeOf(event) - timeOf(before)).toBeGreaterThanOrEqual(REPEAT_MS);
        });
        if (states.at(-1) === "firing") firing.push(alert);
      }
      expect(firing.sort()).toEqual(world.holds.flatMap((keys) => [...keys]).sort());
      const open = world.db.rows<{ alert_key: string }>("SELECT alert_key FROM alerts ORDER BY 1");
      expect(open.map((row) => row.alert_key)).toEqual(firing);
    }),
    { numRuns: longOrShare(200, 60) },
  );
});
