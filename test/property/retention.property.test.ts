/**
 * Retention by random schedules of files, dates, leases, failures and ticks: nothing is deleted that a running build or a published
 * kept version has, or that an operator may want to see, and once all is quiet everything past its retention is gone, and what
 * builds left behind.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { longOrShare } from "../long-share.ts";

import type { D1Fault } from "../oracle/faulty-d1.ts";
import { RetentionLake } from "./retention/lake.ts";

const SCHEDULES = longOrShare(100, 10);

type Op =
  | { readonly do: "file"; readonly daysAgo: readonly number[] }
  | { readonly do: "plan" | "tick" | "sweep" | "settle" }
  | { readonly do: "begin" | "end" | "fail" | "stall"; readonly n: number }
  /** Files of runs that did not commit; its calls to D1 may fail or lose their answers. */
  | { readonly do: "bury"; readonly faults: readonly (D1Fault | undefined)[] }
  | { readonly do: "replay"; readonly daysAgo: number }
  /** A rebuild that begins just before its bronze is retired, or what it reads is superseded. */
  | { readonly do: "overtaken"; readonly daysAgo: number; readonly by: "retention" | "rebuild" }
  | { readonly do: "advance"; readonly ms: number };

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const n = fc.nat(5);
const daysAgo = fc.nat(6);
const op: fc.Arbitrary<Op> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("file" as const),
      daysAgo: fc.uniqueArray(daysAgo, { minLength: 1, maxLength: 3 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom("plan" as const, "tick" as const, "sweep" as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("settle" as const) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom("begin" as const, "end" as const), n }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("stall" as const, "fail" as const), n }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("bury" as const),
      faults: fc.array(fc.constantFrom<D1Fault | undefined>(undefined, undefined, "before", "after"), { maxLength: 3 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("replay" as const), daysAgo }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("overtaken" as const),
      daysAgo,
      by: fc.constantFrom("retention" as const, "rebuild" as const),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("advance" as const),
      ms: fc.constantFrom(MINUTE, 15 * MINUTE, 20 * MINUTE, 7 * HOUR, 24 * HOUR, 24 * HOUR - MINUTE),
    }),
  },
);

async function step(lake: RetentionLake, one: Op): Promise<void> {
  switch (one.do) {
    case "file":
      return await lake.file(one.daysAgo);
    case "plan":
      return await lake.plan();
    case "tick":
      return await lake.tick();
    case "sweep":
      return await lake.sweep();
    case "settle":
      return await lake.settle();
    case "begin":
      return await lake.begin(one.n);
    case "end":
      return await lake.end(one.n);
    case "fail":
      return await lake.fail(one.n);
    case "bury":
      return await lake.bury(one.faults);
    case "stall":
      return lake.stall(one.n);
    case "replay":
      return lake.replay(one.daysAgo);
    case "overtaken":
      lake.replay(one.daysAgo);
      await lake.plan();
      await lake.begin(0);
      if (one.by === "rebuild") {
        await lake.begin(0);
        await lake.end(lake.builders.length - 1);
      }
      await lake.tick();
      return await lake.sweep();
    case "advance":
      lake.now += one.ms;
  }
}

test("deletes nothing that is read, and in the end everything that is past its retention", async () => {
  let sealed = 0;
  let quarantined = 0;
  let abandoned = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(op, { minLength: 10, maxLength: 80, size: "max" }), async (ops) => {
      const lake = new RetentionLake();
      for (const one of ops) {
        await step(lake, one);
        lake.judge();
      }
      // Quiet: builders are gone, operators see to what is dead, planner and cron go on for as long as anything is kept.
      lake.builders.length = 0;
      for (let day = 0; day < 14; day++) {
        lake.now += 25 * HOUR;
        lake.revive();
        await lake.settle();
        await lake.tick();
        await lake.bury();
        await lake.sweep();
        lake.judge();
      }
      expect([...lake.objects].sort()).toEqual(lake.kept());
      // After so many days the kept versions are the last of each day.
      expect(lake.ledger()).toEqual([]);
      sealed += lake.sealed();
      quarantined += lake.quarantined();
      abandoned += lake.abandoned();
    }),
    { numRuns: SCHEDULES },
  );
  // The schedules do meet what they are about.
  expect([sealed > SCHEDULES, quarantined > SCHEDULES / 10, abandoned > SCHEDULES]).toEqual([true, true, true]);
});
