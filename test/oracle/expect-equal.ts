import { isDeepStrictEqual } from "node:util";
import { expect } from "vitest";

/**
 * `expect(actual).toEqual(expected)`, for what is compared thousands of times, or has thousands of values: Vitest's own comparison takes
 * many times as long. What Node calls equal is equal to Vitest, too; of anything else Vitest judges, and words the failure.
 */
export function expectEqual(actual: unknown, expected: unknown): void {
  if (!isDeepStrictEqual(actual, expected)) expect(actual).toEqual(expected);
}
