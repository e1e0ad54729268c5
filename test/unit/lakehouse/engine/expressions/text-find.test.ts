import fc from "fast-check";
import { expect, test } from "vitest";
import { createFinder } from "../../../../../lakehouse/engine/expressions/text-find.ts";
import { apply, bool, int64, utf8 } from "./evaluate.ts";

test("finds what Buffer.indexOf finds, with one finder for many needles", () => {
  const find = createFinder();
  const bytes = fc.array(fc.constantFrom(0x61, 0x62), { maxLength: 24 }).map((list) => Uint8Array.from(list));
  fc.assert(
    fc.property(bytes, bytes, fc.nat(8), (haystack, needle, from) => {
      const start = Math.min(from, haystack.length);
      const expected = Buffer.from(haystack.subarray(start)).indexOf(needle);
      expect(find(haystack, start, haystack.length, needle)).toBe(expected < 0 ? -1 : start + expected);
    }),
  );
});

/** A text in which each beginning nearly matches: a search that tries again takes hours. */
const long = "a".repeat(1_000_000);

test("contains and strpos take time in proportion to the text", () => {
  const needle = `${"a".repeat(500_000)}b`;
  expect(apply("contains", bool, [utf8, [long]], [utf8, [needle]])).toEqual([false]);
  expect(apply("strpos", int64, [utf8, [`${long}b`]], [utf8, [needle]])).toEqual([500_001n]);
}, 5_000);

test("LIKE takes time in proportion to the text, whatever the pattern", () => {
  const text = long.slice(0, 100_000);
  expect(apply("~~", bool, [utf8, [text]], [utf8, [`${"%a".repeat(40)}%b`]])).toEqual([false]);
  expect(apply("~~", bool, [utf8, [text]], [utf8, [`${"%_a".repeat(40)}%b_`]])).toEqual([false]);
}, 5_000);
