import { describe, expect, test } from "vitest";
import type { Bound, LibraryCheck } from "../../../../../contracts/contract.ts";
import {
  blocking,
  holds,
  measureRows,
  QualityGateError,
  runChecks,
} from "../../../../../lakehouse/builds/gates/gate.ts";
import type { Field } from "../../../../../lakehouse/engine/columns/column.ts";
import type { Value } from "../../../../../lakehouse/engine/columns/value.ts";
import { batchOf } from "../../engine/columns/column-of.ts";

const FIELDS: readonly Field[] = [
  { name: "id", type: { kind: "utf8" }, nullable: true },
  { name: "kind", type: { kind: "utf8" }, nullable: true },
  { name: "amount", type: { kind: "decimal", precision: 12, scale: 2 }, nullable: true },
  { name: "wide", type: { kind: "decimal", precision: 38, scale: 1 }, nullable: true },
  { name: "day", type: { kind: "date" }, nullable: true },
  { name: "at", type: { kind: "timestamp" }, nullable: true },
  { name: "flag", type: { kind: "bool" }, nullable: true },
  { name: "n", type: { kind: "int32" }, nullable: true },
  {
    name: "list",
    type: { kind: "list", item: { name: "item", type: { kind: "int32" }, nullable: false } },
    nullable: true,
  },
];

function check(metric: LibraryCheck["metric"], more: Partial<LibraryCheck> = {}): LibraryCheck {
  return {
    name: metric,
    layer: "silver",
    metric,
    columns: [],
    values: [],
    unit: "rows",
    bound: { op: "mustBe", value: 0 },
    onFail: "block",
    ...more,
  };
}

function measure(rows: readonly Record<string, Value>[], one: LibraryCheck) {
  const { measured, failingRows } = measureRows(one, batchOf(FIELDS, rows));
  return { measured, failing: failingRows };
}

describe("metrics", () => {
  const rows = [
    { id: "a", kind: "x" },
    { id: null, kind: "y" },
    { id: "a", kind: "" },
    { id: "b", kind: null },
  ];

  test("rowCount", () => {
    expect(measure(rows, check("rowCount"))).toEqual({ measured: 4, failing: [] });
  });
  test("nullValues, of any of the columns", () => {
    expect(measure(rows, check("nullValues", { columns: ["id"] }))).toEqual({ measured: 1, failing: [1] });
    expect(measure(rows, check("nullValues", { columns: ["id", "kind"] }))).toEqual({ measured: 2, failing: [1, 3] });
    expect(measure([{ list: [1] }, { list: null }], check("nullValues", { columns: ["list"] }))).toEqual({
      measured: 1,
      failing: [1],
    });
  });
  test("missingValues: NULL and what counts as missing", () => {
    expect(measure(rows, check("missingValues", { columns: ["kind"], values: ["", "N/A"] }))).toEqual({
      measured: 2,
      failing: [2, 3],
    });
  });
  test("invalidValues: what is not listed, NULL aside", () => {
    expect(measure(rows, check("invalidValues", { columns: ["kind"], values: ["x", "y"] }))).toEqual({
      measured: 1,
      failing: [2],
    });
  });
  test("duplicateValues: every row after the first of its key", () => {
    expect(measure(rows, check("duplicateValues", { columns: ["id"] }))).toEqual({ measured: 1, failing: [2] });
    expect(measure(rows, check("duplicateValues", { columns: ["id", "kind"] }))).toEqual({ measured: 0, failing: [] });
  });
  test("a key with a NULL in it is no duplicate, whatever stands beside it", () => {
    const keys = [
      { id: null, kind: null },
      { id: null, kind: null },
      { id: "a", kind: null },
      { id: "a", kind: null },
      { id: "a", kind: "x" },
      { id: "a", kind: "x" },
    ];
    expect(measure(keys, check("duplicateValues", { columns: ["id", "kind"] }))).toEqual({ measured: 1, failing: [5] });
    expect(measure(keys, check("duplicateValues", { columns: ["kind"] }))).toEqual({ measured: 1, failing: [5] });
    expect(measure(keys, check("duplicateValues", { columns: ["kind"], unit: "percent" })).measured).toBeCloseTo(
      100 / 6,
    );
  });
  test("NULL is always missing, never invalid, and a row like others", () => {
    const nulls = [{ id: null }, { id: "a" }];
    expect(measure(nulls, check("rowCount")).measured).toBe(2);
    expect(measure(nulls, check("missingValues", { columns: ["id"] })).measured).toBe(1);
    expect(measure(nulls, check("invalidValues", { columns: ["id"], values: ["b"] })).measured).toBe(1);
    expect(measure(nulls, check("invalidValues", { columns: ["id"], values: ["b"], unit: "percent" })).measured).toBe(
      50,
    );
  });
  test.each(["nullValues", "missingValues", "invalidValues", "duplicateValues"] as const)(
    "%s of a partition without rows is 0 percent, and 0 rows",
    (metric) => {
      for (const unit of ["percent", "rows"] as const)
        expect(measure([], check(metric, { columns: ["id"], values: ["a"], unit }))).toEqual({
          measured: 0,
          failing: [],
        });
    },
  );
  test("percent of the rows; of none it is 0", () => {
    expect(measure(rows, check("nullValues", { columns: ["id"], unit: "percent" })).measured).toBe(25);
    expect(measure([], check("nullValues", { columns: ["id"], unit: "percent" })).measured).toBe(0);
  });
  test("at most twenty failing rows are named, all are counted", async () => {
    const candidate = batchOf(
      FIELDS,
      Array.from({ length: 50 }, () => ({ id: null })),
    );
    const [result] = await runChecks([check("nullValues", { columns: ["id"] })], "silver", candidate);
    expect(result?.measured).toBe(50);
    expect(result?.failingRows).toEqual(Array.from({ length: 20 }, (_, i) => i));
  });

  test.each<[string, Value, string, string]>([
    ["amount", "12.50", "12.5", "1250"],
    ["wide", "-123456789012345678901234567890.5", "-123456789012345678901234567890.5", "0"],
    ["day", 20_413, "2025-11-21", "20413"],
    ["at", 1_763_726_400_000_000n, "2025-11-21T12:00:00.000Z", "1763726400000000"],
    ["flag", true, "true", "1"],
    ["n", 7, "07.0", "70"],
    ["kind", "\ufeffx", "\ufeffx", "x"],
  ])("values of %s are compared as a contract writes them", (column, value, written, other) => {
    const one = (values: string[]) =>
      measure([{ [column]: value }], check("invalidValues", { columns: [column], values })).measured;
    expect(one([written])).toBe(0);
    expect(one([other])).toBe(1);
  });

  test("a column that is not there, and values of a nested one, are errors", () => {
    expect(() => measure(rows, check("nullValues", { columns: ["nope"] }))).toThrow(RangeError);
    expect(() => measure([{ list: [1] }], check("invalidValues", { columns: ["list"], values: ["1"] }))).toThrow(
      RangeError,
    );
  });
});

describe("bounds", () => {
  test.each<[Bound, readonly boolean[]]>([
    // measured:                                              0      1      2      3
    [{ op: "mustBe", value: 1 }, [false, true, false, false]],
    [{ op: "mustNotBe", value: 1 }, [true, false, true, true]],
    [{ op: "mustBeGreaterThan", value: 1 }, [false, false, true, true]],
    [{ op: "mustBeGreaterOrEqualTo", value: 1 }, [false, true, true, true]],
    [{ op: "mustBeLessThan", value: 1 }, [true, false, false, false]],
    [{ op: "mustBeLessOrEqualTo", value: 1 }, [true, true, false, false]],
    [{ op: "mustBeBetween", value: [1, 2] }, [false, true, true, false]],
    [{ op: "mustNotBeBetween", value: [1, 2] }, [true, false, false, true]],
  ])("%o", (bound, expected) => {
    expect([0, 1, 2, 3].map((measured) => holds(bound, measured))).toEqual(expected);
  });
});

describe("the verdict", () => {
  test("only failed checks of the layer that say block hold a candidate back", async () => {
    const candidate = batchOf(FIELDS, [{ id: null }]);
    const failing = (name: string, more: Partial<LibraryCheck>) =>
      check("nullValues", { name, columns: ["id"], ...more });
    const checks = [
      failing("warns", { onFail: "warn" }),
      failing("blocks", {}),
      failing("other layer", { layer: "bronze" }),
      check("rowCount", { name: "passes", bound: { op: "mustBe", value: 1 } }),
    ];
    const results = await runChecks(checks, "silver", candidate);
    expect(results.map((result) => [result.check.name, result.passed])).toEqual([
      ["warns", false],
      ["blocks", false],
      ["passes", true],
    ]);
    expect(blocking(results).map((result) => result.check.name)).toEqual(["blocks"]);
    expect(new QualityGateError("t", "2026-01-01", blocking(results)).message).toBe(
      'QUALITY_GATE: t 2026-01-01: silver check "blocks" measured 1, mustBe 0. The last good version stays published.',
    );
  });
});
