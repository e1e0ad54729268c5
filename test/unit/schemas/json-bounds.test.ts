import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MAX_DEPTH, MAX_JSON_BYTES, MAX_VALUES, overBound, UNSCANNED_BYTES } from "../../../schemas/json-bounds.ts";

const boundOf = (text: string) => overBound(new TextEncoder().encode(text))?.bound;

/** More than is taken without a look, in a string that holds what a scan could stumble over. */
const LONG = JSON.stringify('[{,:"\\'.repeat(UNSCANNED_BYTES / 7));

/** How many values there are, found another way. */
function valuesOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return 1;
  return Object.values(value).reduce<number>((sum, member) => sum + valuesOf(member), 1);
}

describe("a JSON text before it is parsed", () => {
  it("of many bytes, whatever they are", () => {
    expect(boundOf(" ".repeat(MAX_JSON_BYTES))).toBeUndefined();
    expect(boundOf(" ".repeat(MAX_JSON_BYTES + 1))).toBe("bytes");
    expect(boundOf(`[${"1".repeat(MAX_JSON_BYTES)}]`)).toBe("bytes");
  });

  it("of many values: members, items, empty arrays and objects, with spaces between them or without", () => {
    const arrayOf = (item: string, count: number) => `[${Array.from({ length: count }, () => item).join(",")}]`;
    for (const item of ["1", "{}", "[ ]", "\t{\r\n}", "null", '"]"', "-1e5"]) {
      const rest = `,${LONG}]`;
      const full = arrayOf(item, MAX_VALUES - 2).replace(/]$/, rest);
      if (full.length > MAX_JSON_BYTES) continue;
      expect([item, boundOf(full)]).toEqual([item, undefined]);
      expect([item, boundOf(arrayOf(item, MAX_VALUES - 1).replace(/]$/, rest))]).toEqual([item, "values"]);
    }
    // Pairs of brackets cost least, and count as two.
    expect(boundOf(arrayOf("[[]]", MAX_VALUES / 2 + 1))).toBe("values");
    const members = Array.from({ length: MAX_VALUES }, (_, index) => `"${index}":1`).join(",");
    expect(boundOf(`{${members}}`)).toBe("values");
  });

  it("that nests deep, in arrays, objects or both", () => {
    const nested = (depth: number) => "[".repeat(depth - 1) + LONG + "]".repeat(depth - 1);
    expect(boundOf(nested(MAX_DEPTH + 1))).toBeUndefined();
    expect(boundOf(nested(MAX_DEPTH + 2))).toBe("depth");
    const members = '{"a" : [ '.repeat(MAX_DEPTH / 2 + 1);
    expect(boundOf(members + LONG)).toBe("depth");
    expect(boundOf("[".repeat(UNSCANNED_BYTES + 1))).toBe("depth");
  });

  it("that is short has too few bytes to be over a bound of values, so that it need not be scanned", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 8 }), (value) => {
        const text = JSON.stringify(value);
        // Two bytes a value, save that the last one has no separator behind it.
        expect(valuesOf(value) * 2).toBeLessThanOrEqual(Buffer.byteLength(text) + 1);
      }),
    );
  });

  it("counts as a parser does", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), fc.constantFrom(undefined, 1, "\t"), (value, indent) => {
        const values = valuesOf(value) + 2;
        const fill = Array.from({ length: MAX_VALUES - values }, () => "1").join(",");
        const text = `[${JSON.stringify(value, null, indent)},${LONG},${fill}]`;
        const more = text.replace(/]$/, ",1]");
        if (Buffer.byteLength(more) > MAX_JSON_BYTES) return;
        expect([boundOf(text), boundOf(more)]).toEqual([undefined, "values"]);
      }),
      { numRuns: 10 },
    );
  });
});
