import { expect, test } from "vitest";
import { readAgain } from "../../../../tools/local-platform/read-again.ts";

const failing = (times: number, error: Error) => {
  let calls = 0;
  return async () => {
    if (calls++ < times) throw error;
    return calls;
  };
};

test("a lost connection is tried again, five times in all; anything else is thrown at once", async () => {
  const lost = new TypeError("fetch failed");
  expect(await readAgain(failing(4, lost))).toBe(5);
  await expect(readAgain(failing(5, lost))).rejects.toBe(lost);
  const other = new Error("D1_ERROR: no such table");
  await expect(readAgain(failing(1, other))).rejects.toBe(other);
});
