/** P3, P8 on the real bundle: kill -9 right after a 202, again and again, and in the middle of builds, with faults of every binding and of the queue's delivery. */
import { expect, test } from "vitest";
import { KILL } from "../../tools/chaos/faults/builder.ts";
import { runPlatformPhase } from "../../tools/chaos/platform-phase.ts";

/** More of them, and other faults: `npm run chaos -- --kills 50 --seed 2`. */
const KILLS = 6;

test("every event answered 202 is in bronze once, every file is registered, nothing is stuck, silver and gold are DuckDB's", {
  timeout: 400_000,
}, async () => {
  const report = await runPlatformPhase({
    seed: 1,
    kills: KILLS,
    eventsPerSecond: 3_000,
    seconds: Number.POSITIVE_INFINITY,
  });
  const { lost, doubled, unknown, unregistered, stuck, tables } = report.verdict;
  expect({ lost, doubled, unknown, unregistered, stuck, tables }).toEqual({
    lost: 0,
    doubled: 0,
    unknown: 0,
    unregistered: 0,
    stuck: [],
    tables: { silverWrong: 0, goldWrong: 0, halfPublished: 0 },
  });
  // Without events and faults the rest would prove nothing.
  expect(report.accepted).toBeGreaterThanOrEqual(50 * KILLS);
  expect(report.faults["build abort"]).toBeGreaterThan(0);
  expect(report.faults[KILL]).toBeGreaterThan(0);
  expect(new Set(Object.keys(report.faults).map((fault) => fault.split(" ")[0])).size).toBeGreaterThanOrEqual(4);
});
