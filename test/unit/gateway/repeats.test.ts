import { describe, expect, it } from "vitest";
import { createRepeatFinder, type Duplicates } from "../../../gateway/repeats.ts";

function repeatsOf(ids: readonly unknown[]): Duplicates {
  const finder = createRepeatFinder(["id"]);
  ids.forEach((id, index) => {
    finder.add({ id }, index);
  });
  return finder.found();
}

describe("repeated keys of one request", () => {
  it("are told with the first event that has the key", () => {
    expect(repeatsOf(["a", "b", "a", "c", "b", "a"])).toEqual({
      listed: [
        { index: 2, of: 0 },
        { index: 4, of: 1 },
        { index: 5, of: 0 },
      ],
      total: 3,
    });
  });

  it("are told of numbers, whatever their digits", () => {
    const long = (digits: string) => JSON.rawJSON(digits);
    expect(repeatsOf([7, 7, long("9007199254740993"), long("9007199254740995"), long("9007199254740993")])).toEqual({
      listed: [
        { index: 1, of: 0 },
        { index: 4, of: 2 },
      ],
      total: 2,
    });
  });

  it("are none where keys differ, or there are none", () => {
    const none = { listed: [], total: 0 };
    expect(repeatsOf(Array.from({ length: 50_000 }, (_, index) => `key-${index}`))).toEqual(none);
    expect(repeatsOf([undefined, undefined, null, true, "x".repeat(257), "x".repeat(257)])).toEqual(none);
    expect(repeatsOf([])).toEqual(none);
  });

  it("are told apart where hashes are equal", () => {
    // Two words with one FNV-1a hash of 32 bits.
    expect(repeatsOf(["costarring", "liquid"])).toEqual({ listed: [], total: 0 });
    expect(repeatsOf(["costarring", "liquid", "liquid"])).toEqual({ listed: [{ index: 2, of: 1 }], total: 1 });
  });
});
