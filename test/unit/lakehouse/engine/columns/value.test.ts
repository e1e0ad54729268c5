import { expect, test } from "vitest";
import { decimalText, valueAt } from "../../../../../lakehouse/engine/columns/value.ts";
import { columnOf } from "./column-of.ts";

test.each([
  [0n, 2, "0.00"],
  [-3n, 2, "-0.03"],
  [1250n, 2, "12.50"],
  [-1250n, 0, "-1250"],
  [7n, 38, `0.${"0".repeat(37)}7`],
])("decimalText(%s, %i) is %s", (unscaled, scale, text) => {
  expect(decimalText(unscaled, scale)).toBe(text);
});

test("a row that does not exist is an error", () => {
  const column = columnOf({ kind: "int32" }, [1]);
  expect(() => valueAt(column, 1)).toThrow(RangeError);
  expect(() => valueAt(column, -1)).toThrow(RangeError);
});

test("utf8 bytes that are not UTF-8 are an error, not replacement characters", () => {
  const bytes = Uint8Array.of(0xff);
  expect(() =>
    valueAt(
      { kind: "bytes", type: { kind: "utf8" }, length: 1, nulls: undefined, offsets: Int32Array.of(0, 1), bytes },
      0,
    ),
  ).toThrow(TypeError);
});

test("a struct's field may be called __proto__", () => {
  const type = { kind: "struct", fields: [{ name: "__proto__", type: { kind: "int32" }, nullable: true }] } as const;
  const column = {
    kind: "struct",
    type,
    length: 1,
    nulls: undefined,
    fields: [columnOf({ kind: "int32" }, [5])],
  } as const;
  expect(Object.entries(valueAt(column, 0) ?? {})).toEqual([["__proto__", 5]]);
});
