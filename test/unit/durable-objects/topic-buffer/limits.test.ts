import { expect, test } from "vitest";
import {
  flushLimits,
  PRESSURE,
  pressureLimits,
  pressureOf,
  pressureReason,
} from "../../../../durable-objects/topic-buffer/limits.ts";

const LIMITS = { bytes: 1_000, ageMs: 600 };

test.each([
  [0, null, "none"],
  [500, null, "none"],
  [501, null, "easing"],
  [999, 0, "easing"],
  [1_000, 0, "far_behind"],
  [1, 300, "none"],
  [1, 301, "easing"],
  [1, 600, "far_behind"],
  // Appended by a clock that has gone back since.
  [1, -5_000, "none"],
] as const)("%i bytes, the oldest for %s ms: %s", (bytes, age, pressure) => {
  const oldestAt = age === null ? null : 10_000 - age;
  expect(pressureOf({ rows: 1, bytes, oldestAt }, LIMITS, 10_000)).toBe(pressure);
});

test("variables of the deployment go over the defaults, 0 does not", () => {
  const contract = { flush: { bytes: 1, rows: 2, ageMs: 3 } };
  expect(flushLimits(contract, "0")).toEqual(contract.flush);
  expect(flushLimits(contract, "5")).toEqual({ ...contract.flush, ageMs: 5_000 });
  expect(pressureLimits("0")).toEqual(PRESSURE);
  expect(pressureLimits("20000")).toEqual({ ...PRESSURE, bytes: 20_000 });
});

test("the reason names the shard and what waits", () => {
  const backlog = { rows: 1, bytes: 7, oldestAt: 1_000 };
  expect(pressureReason(1, 2, backlog, 61_000)).toBe(
    "the buffer of shard 1 of 2 has 7 bytes that wait to be written, the oldest for 60 s",
  );
});
