import { expect, test } from "vitest";
import { waitBeforeRetry } from "../../../../producers/client/retry-policy.ts";
import { parseRetryAfter } from "../../../../producers/client/transport.ts";

test("waits double up to ten seconds, half of it by chance", () => {
  expect([1, 2, 3, 4].map((failures) => waitBeforeRetry(failures, null, 0))).toEqual([50, 100, 200, 400]);
  expect(waitBeforeRetry(1, null, 0.5)).toBe(75);
  expect(waitBeforeRetry(50, null, 0.999)).toBeLessThan(10_000);
});

test("a server's wish is the least wait, within two minutes", () => {
  expect(waitBeforeRetry(1, 3_000, 0)).toBe(3_000);
  expect(waitBeforeRetry(10, 3_000, 0)).toBe(5_000);
  expect(waitBeforeRetry(1, 86_400_000, 0)).toBe(120_000);
});

test("Retry-After is seconds or a date", () => {
  const nowMs = Date.parse("2026-11-21T12:00:00Z");
  expect(parseRetryAfter("7", nowMs)).toBe(7_000);
  expect(parseRetryAfter("Sat, 21 Nov 2026 12:00:30 GMT", nowMs)).toBe(30_000);
  expect(parseRetryAfter("Sat, 21 Nov 2026 11:00:00 GMT", nowMs)).toBe(0);
  expect(parseRetryAfter("soon", nowMs)).toBeNull();
  expect(parseRetryAfter(null, nowMs)).toBeNull();
});
