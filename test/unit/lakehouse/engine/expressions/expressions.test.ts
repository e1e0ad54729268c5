import { describe, expect, test } from "vitest";
import { bindFunction } from "../../../../../lakehouse/engine/expressions/functions.ts";
import { prepare } from "../../../../../lakehouse/engine/expressions/prepare.ts";
import { ModelMismatchError, ModelValueError } from "../../../../../lakehouse/engine/ir/errors.ts";
import type { Expression } from "../../../../../lakehouse/engine/ir/ir.ts";
import {
  apply,
  bool,
  call,
  cast,
  column,
  constant,
  date,
  decimal,
  evaluate,
  float64,
  hugeint,
  int32,
  int64,
  list,
  timestamp,
  timestamptz,
  utf8,
} from "./evaluate.ts";

const TRUTH = [true, true, true, false, false, false, null, null, null];
const OTHER = [true, false, null, true, false, null, true, false, null];

describe("logic", () => {
  test("AND, OR and NOT are three-valued", () => {
    const both = (node: "and" | "or"): Expression => ({ node, args: [column(0, bool), column(1, bool)], type: bool });
    expect(evaluate(both("and"), [bool, TRUTH], [bool, OTHER])).toEqual([
      true,
      false,
      null,
      false,
      false,
      false,
      null,
      false,
      null,
    ]);
    expect(evaluate(both("or"), [bool, TRUTH], [bool, OTHER])).toEqual([
      true,
      true,
      true,
      true,
      false,
      null,
      true,
      null,
      null,
    ]);
    expect(apply("not", bool, [bool, [true, false, null]])).toEqual([false, true, null]);
  });

  test("IN knows null on either side", () => {
    const inside = call("in", bool, column(0, int32), constant(1, int32), constant(null, int32));
    expect(evaluate(inside, [int32, [1, 2, null]])).toEqual([true, null, null]);
    expect(evaluate(call("in", bool, column(0, int32), constant(1, int32)), [int32, [1, 2, null]])).toEqual([
      true,
      false,
      null,
    ]);
  });

  test("IS NULL, and DISTINCT FROM, never give null", () => {
    expect(apply("is null", bool, [int32, [1, null]])).toEqual([false, true]);
    expect(apply("is not null", bool, [int32, [1, null]])).toEqual([true, false]);
    expect(apply("is distinct from", bool, [int32, [1, 1, 1, null]], [int32, [1, 2, null, null]])).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });

  test("CASE and COALESCE evaluate a branch only where it is asked", () => {
    const narrow = cast(column(0, int64), int32);
    const guarded: Expression = {
      node: "case",
      branches: [{ when: call("<", bool, column(0, int64), constant("10", int64)), result: narrow }],
      otherwise: constant(null, int32),
      type: int32,
    };
    expect(evaluate(guarded, [int64, [1n, 2n ** 40n, null]])).toEqual([1, null, null]);
    const first: Expression = { node: "coalesce", args: [column(1, int32), narrow], type: int32 };
    expect(evaluate(first, [int64, [2n ** 40n, 3n]], [int32, [7, null]])).toEqual([7, 3]);
    const both: Expression = {
      node: "and",
      args: [call("<", bool, column(0, int64), constant("10", int64)), call("=", bool, narrow, constant(1, int32))],
      type: bool,
    };
    expect(evaluate(both, [int64, [1n, 2n ** 40n]])).toEqual([true, false]);
    expect(evaluate(first, [int64, []], [int32, []])).toEqual([]);
  });
});

describe("comparison", () => {
  test("NaN is the greatest and equal to itself, -0 equals 0", () => {
    const values = [Number.NaN, Number.NaN, 0, 1];
    const others = [Number.NaN, Number.POSITIVE_INFINITY, -0, Number.NaN];
    expect(apply("=", bool, [float64, values], [float64, others])).toEqual([true, false, true, false]);
    expect(apply(">", bool, [float64, values], [float64, others])).toEqual([false, true, false, false]);
  });

  test("text is ordered by its UTF-8 bytes, not by UTF-16 units", () => {
    expect(apply("<", bool, [utf8, ["\uffff", "a", "a"]], [utf8, ["𝒳", "ab", "a"]])).toEqual([true, true, false]);
  });

  test("128-bit values compare by both words", () => {
    const big = decimal(30, 0);
    expect(
      apply(
        "<",
        bool,
        [big, ["-1", "18446744073709551616", "1"]],
        [big, ["0", "18446744073709551615", "18446744073709551616"]],
      ),
    ).toEqual([true, false, true]);
  });
});

describe("arithmetic", () => {
  test("overflow is an error, in every width", () => {
    expect(() => apply("+", int32, [int32, [2147483647]], [int32, [1]])).toThrow(ModelValueError);
    expect(() => apply("*", int32, [int32, [-2147483648]], [int32, [-2147483648]])).toThrow(ModelValueError);
    expect(() => apply("-", int64, [int64, [-(2n ** 63n)]], [int64, [1n]])).toThrow(
      /out of the range of BIGINT: compute it in a wider type, .* or TRY_CAST it/,
    );
    expect(() => apply("*", decimal(18, 0), [decimal(18, 0), ["999999999999999999"]], [decimal(1, 0), ["2"]])).toThrow(
      ModelValueError,
    );
    expect(() => apply("-", int32, [int32, [-2147483648]])).toThrow(ModelValueError);
    expect(() => apply("%", int32, [int32, [-2147483648]], [int32, [-1]])).toThrow(ModelValueError);
    expect(apply("+", int32, [int32, [2147483647, null]], [int32, [null, 1]])).toEqual([null, null]);
  });

  test("integer division by zero is NULL, double division is IEEE's", () => {
    expect(apply("//", int32, [int32, [7, -7, 7]], [int32, [2, 2, 0]])).toEqual([3, -3, null]);
    expect(apply("%", int64, [int64, [7n, -7n, 7n]], [int64, [4n, 4n, 0n]])).toEqual([3n, -3n, null]);
    expect(apply("/", float64, [float64, [1, 0, -1]], [float64, [0, 0, 4]])).toEqual([
      Number.POSITIVE_INFINITY,
      Number.NaN,
      -0.25,
    ]);
  });

  test("decimals round half away from zero, doubles like C's round", () => {
    const places = (count: number) =>
      call("round", decimal(12, Math.max(0, count)), column(0, decimal(12, 2)), constant(count, int32));
    expect(evaluate(places(1), [decimal(12, 2), ["2.45", "-2.45", "2.44"]])).toEqual(["2.5", "-2.5", "2.4"]);
    expect(evaluate(places(-2), [decimal(12, 2), ["1250.00", "-1249.99"]])).toEqual(["1300", "-1200"]);
    expect(apply("round", float64, [float64, [2.5, -2.5, 0.49999999999999994]])).toEqual([3, -3, 0]);
    expect(evaluate(call("round", float64, column(0, float64), constant(2, int32)), [float64, [2.675, 1e308]])).toEqual(
      [2.68, 1e308],
    );
  });

  test("greatest and least skip nulls", () => {
    expect(apply("greatest", int32, [int32, [null, 5, null]], [int32, [3, 4, null]])).toEqual([3, 5, null]);
    expect(apply("least", utf8, [utf8, ["b", null]], [utf8, ["a", "c"]])).toEqual(["a", "c"]);
  });
});

describe("casts", () => {
  const one = (value: string, to: typeof int32) => evaluate(cast(column(0, utf8), to), [utf8, [value]])[0];

  test("doubles to integers round half to even, to decimals half away", () => {
    expect(evaluate(cast(column(0, float64), int32), [float64, [2.5, 3.5, -2.5, 1e9]])).toEqual([2, 4, -2, 1e9]);
    expect(evaluate(cast(column(0, float64), decimal(12, 2)), [float64, [0.125, -0.125, 2.675]])).toEqual([
      "0.13",
      "-0.13",
      "2.68",
    ]);
    expect(() => evaluate(cast(column(0, float64), int32), [float64, [Number.NaN]])).toThrow(ModelValueError);
  });

  test("TRY_CAST gives null where CAST fails", () => {
    expect(evaluate(cast(column(0, int64), int32, true), [int64, [5n, 2n ** 40n, null]])).toEqual([5, null, null]);
    expect(
      evaluate(cast(column(0, decimal(6, 2)), decimal(4, 1), true), [decimal(6, 2), ["999.94", "999.95"]]),
    ).toEqual(["999.9", null]);
    const texts = ["7", "x", "2147483648", null, "1e3"];
    expect(evaluate(cast(column(0, utf8), int32, true), [utf8, texts])).toEqual([7, null, null, null, 1000]);
  });

  test("the text that cannot be cast is not in the message", () => {
    expect(() => one("ada@example.com", int32)).toThrow(/^a text of 15 characters is no INTEGER/);
  });

  test("a timestamp in another time zone than UTC is refused, with TRY_CAST too", () => {
    const texts = cast(column(0, utf8), timestamptz, true);
    expect(() => evaluate(texts, [utf8, ["2024-01-01 10:00:00 Europe/Berlin"]])).toThrow(ModelValueError);
    expect(evaluate(texts, [utf8, ["2024-01-01 10:00:00 nowhere", "2024-01-01 10:00:00 UTC"]])).toEqual([
      null,
      BigInt(Date.UTC(2024, 0, 1, 10)) * 1000n,
    ]);
  });

  test("text is read as DuckDB reads it", () => {
    expect(one(" -12 ", int32)).toBe(-12);
    expect(one("1.005", decimal(12, 2))).toBe("1.01");
    expect(one("-.5", decimal(12, 2))).toBe("-0.50");
    expect(one("1e-3", float64)).toBe(0.001);
    expect(one("1_0.5", int32)).toBe(11);
    expect(one("0x1F", int32)).toBe(31);
    expect(one("Yes", bool)).toBe(true);
    expect(one("2024-2-9", date)).toBe(19762);
    expect(one("2024-02-29", date)).toBe(19782);
    expect(one("1969-12-31T23:59:59.5Z", timestamptz)).toBe(-500_000n);
    expect(one("2024-01-01 00:00:00+01:30", timestamptz)).toBe(BigInt(Date.UTC(2023, 11, 31, 22, 30)) * 1000n);
    for (const [text, to] of [
      ["", int32],
      [".", float64],
      ["2023-02-29", date],
      ["2024-1", date],
      ["on", bool],
    ] as const) {
      expect(() => one(text, to), text).toThrow(ModelValueError);
    }
  });

  test("text is written in DuckDB's notation", () => {
    const text = (from: typeof int32, ...values: Parameters<typeof evaluate>[1][1]) =>
      evaluate(cast(column(0, from), utf8), [from, values]);
    expect(text(decimal(3, 3), "-0.500", "0.000")).toEqual(["-.500", ".000"]);
    expect(text(decimal(12, 2), "-0.05")).toEqual(["-0.05"]);
    expect(text(date, -719_528, 19_782, 2_932_897)).toEqual(["0001-01-01 (BC)", "2024-02-29", "10000-01-01"]);
    expect(text(timestamptz, -500_000n, 0n)).toEqual(["1969-12-31 23:59:59.5+00", "1970-01-01 00:00:00+00"]);
    expect(text(bool, true, null)).toEqual(["true", null]);
    expect(text(hugeint, (2n ** 100n).toString())).toEqual([(2n ** 100n).toString()]);
  });
});

describe("dates", () => {
  test("truncation rounds down, before 1970 too, and weeks begin on Monday", () => {
    const instants = [-1n, BigInt(Date.UTC(2024, 11, 29, 13, 14, 15)) * 1000n];
    const trunc = (unit: string) =>
      evaluate(call("date_trunc", timestamptz, constant(unit, utf8), column(0, timestamptz)), [
        timestamptz,
        instants,
      ]).map((micros) => new Date(Number(micros) / 1000).toISOString());
    expect(trunc("hour")).toEqual(["1969-12-31T23:00:00.000Z", "2024-12-29T13:00:00.000Z"]);
    expect(trunc("week")).toEqual(["1969-12-29T00:00:00.000Z", "2024-12-23T00:00:00.000Z"]);
    expect(trunc("quarter")).toEqual(["1969-10-01T00:00:00.000Z", "2024-10-01T00:00:00.000Z"]);
    expect(evaluate(call("date_trunc", timestamp, constant("month", utf8), column(0, date)), [date, [40]])).toEqual([
      31n * 86_400_000_000n,
    ]);
  });

  test("parts", () => {
    const part = (name: string) =>
      evaluate(call("date_part", int64, constant(name, utf8), column(0, date)), [date, [-1, 20_086]]);
    expect(part("year")).toEqual([1969n, 2024n]);
    expect(part("dow")).toEqual([3n, 0n]);
    expect(part("isodow")).toEqual([3n, 7n]);
    expect(part("doy")).toEqual([365n, 364n]);
    expect(part("week")).toEqual([1n, 52n]);
    expect(apply("hour", int64, [timestamptz, [-1n]])).toEqual([23n]);
  });
});

describe("text, lists, structs", () => {
  test("letters change by DuckDB's simple mapping", () => {
    expect(apply("upper", utf8, [utf8, ["straße é", "ΑΣ", null, ""]])).toEqual(["STRAẞE É", "ΑΣ", null, ""]);
    expect(apply("lower", utf8, [utf8, ["ΑΣ İ"]])).toEqual(["ασ i"]);
  });

  test("length counts code points, strlen bytes; concat skips nulls, || does not", () => {
    expect(apply("length", int64, [utf8, ["🦆é", ""]])).toEqual([2n, 0n]);
    expect(apply("strlen", int64, [utf8, ["🦆é"]])).toEqual([6n]);
    expect(apply("concat", utf8, [utf8, ["a", null]], [utf8, [null, null]])).toEqual(["a", ""]);
    expect(apply("||", utf8, [utf8, ["a", "é"]], [utf8, [null, "b"]])).toEqual([null, "éb"]);
    expect(apply("contains", bool, [utf8, ["abc", "abc", "ab"]], [utf8, ["bc", "", "abc"]])).toEqual([
      true,
      true,
      false,
    ]);
    expect(apply("ends_with", bool, [utf8, ["abc", "abc"]], [utf8, ["bc", "ab"]])).toEqual([true, false]);
  });

  test("lists: length, element, aggregates, lambdas with captures", () => {
    const nums = list(int32);
    const lists = [[1, null, 3], [], null];
    expect(apply("len", int64, [nums, lists])).toEqual([3n, 0n, null]);
    expect(apply("list_sum", hugeint, [nums, lists])).toEqual(["4", null, null]);
    expect(apply("list_count", int64, [nums, lists])).toEqual([2n, 0n, null]);
    expect(
      evaluate(
        call("array_extract", int32, column(0, nums), column(1, int64)),
        [nums, [[1, 2], [1, 2], [1, 2], []]],
        [int64, [1n, -1n, 3n, 1n]],
      ),
    ).toEqual([1, 2, null, null]);
    const transform: Expression = {
      node: "lambda",
      name: "list_transform",
      list: column(0, nums),
      captures: [column(1, int32)],
      indexed: false,
      body: call("+", int32, column(0, int32), column(1, int32)),
      type: nums,
    };
    expect(evaluate(transform, [nums, lists], [int32, [10, 20, 30]])).toEqual([[11, null, 13], [], null]);
    const filter: Expression = {
      ...transform,
      name: "list_filter",
      body: call(">", bool, column(0, int32), column(1, int32)),
    };
    expect(evaluate(filter, [nums, [[1, 5, null], [9]]], [int32, [2, null]])).toEqual([[5], []]);
  });

  test("a field of a null struct is null", () => {
    const struct = { kind: "struct", fields: [{ name: "Sku", type: utf8 }] } as const;
    const field = call("struct_extract", utf8, column(0, struct), constant("sku", utf8));
    expect(evaluate(field, [struct, [{ Sku: "x" }, null, { Sku: null }]])).toEqual(["x", null, null]);
  });
});

test("a function that the table lacks is refused when the expression is prepared", () => {
  expect(bindFunction({ node: "call", name: "md5", args: [], type: utf8 })).toEqual({
    unsupported: "the function md5 is not supported",
  });
  expect(() => prepare(call("md5", utf8))).toThrow(ModelMismatchError);
});
