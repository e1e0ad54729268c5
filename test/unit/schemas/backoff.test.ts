import { expect, test } from "vitest";
import { scatteredWaitAfter, waitAfter } from "../../../schemas/backoff.ts";

const wait = { first: 10, longest: 3_600 };

test("waits double up to the longest, however often it failed", () => {
  expect([0, 1, 2, 8, 9, 1_000].map((failures) => waitAfter(wait, failures))).toEqual([
    10, 20, 40, 2_560, 3_600, 3_600,
  ]);
});

test("a random part of the upper half", () => {
  expect([0, 0.5, 0.999].map((random) => scatteredWaitAfter(wait, 1, random))).toEqual([10, 15, 20]);
});
