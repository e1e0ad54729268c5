/** What the writer tells of a file's columns holds for its rows, whatever types, row groups, nulls and texts. */
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { createColumnBuilder, finishBatch } from "../../../../../lakehouse/engine/columns/builder.ts";
import type { ColumnType, Value } from "../../../../../lakehouse/engine/columns/column.ts";
import { pushValue } from "../../../../../lakehouse/engine/columns/push-value.ts";
import type { ColumnStatistics } from "../../../../../lakehouse/engine/parquet/column-statistics.ts";
import { createParquetWriter } from "../../../../../lakehouse/engine/parquet/writer.ts";
import { loadParquetWasm } from "../../../../../tools/build/parquet-wasm-node.ts";
import { anyCharacter } from "../../../../oracle/any-character.ts";
import { permit } from "../../../../oracle/permit.ts";

beforeAll(loadParquetWasm);

function told(type: ColumnType, values: readonly Value[], rowGroupRows = 2): ColumnStatistics | undefined {
  const fields = [{ name: "c", type, nullable: true }];
  const builder = createColumnBuilder(type);
  for (const value of values) pushValue(builder, value);
  const batch = finishBatch(fields, [builder]);
  const writer = createParquetWriter(permit, { fields, rowGroupRows });
  writer.add(batch);
  writer.finish();
  return writer.statistics()["c"];
}

describe("a column's statistics", () => {
  test.each<[string, ColumnType, readonly Value[], ColumnStatistics | undefined]>([
    ["bool", { kind: "bool" }, [true, null, false], { min: false, max: true, nulls: 1 }],
    ["int32", { kind: "int32" }, [5, -3, 7], { min: -3, max: 7, nulls: 0 }],
    [
      "int64 beyond 2^53",
      { kind: "int64" },
      [-1n, 9_007_199_254_740_993n],
      { min: -1, max: "9007199254740993", nulls: 0 },
    ],
    ["date", { kind: "date" }, [20_000, -1, null], { min: "1969-12-31", max: "2024-10-04", nulls: 1 }],
    [
      "timestamp",
      { kind: "timestamp" },
      [1n, 1_000_000n],
      { min: "1970-01-01T00:00:00.000001Z", max: "1970-01-01T00:00:01.000Z", nulls: 0 },
    ],
    [
      "decimal(9)",
      { kind: "decimal", precision: 9, scale: 2 },
      ["-0.05", "12.50"],
      { min: "-0.05", max: "12.50", nulls: 0 },
    ],
    [
      "decimal(18)",
      { kind: "decimal", precision: 18, scale: 2 },
      ["-10.00", "9.00", "10.00"],
      { min: "-10.00", max: "10.00", nulls: 0 },
    ],
    [
      "decimal(38)",
      { kind: "decimal", precision: 38, scale: 3 },
      ["-12345678901234567890.001", "0.000"],
      { min: "-12345678901234567890.001", max: "0.000", nulls: 0 },
    ],
    ["double", { kind: "float64" }, [1.5, -2, null, null], { min: -2, max: 1.5, nulls: 2 }],
    ["double with an infinity", { kind: "float64" }, [1.5, Number.POSITIVE_INFINITY], { min: 1.5, nulls: 0 }],
    ["double with a NaN", { kind: "float64" }, [1.5, 2, Number.NaN], undefined],
    ["text", { kind: "utf8" }, ["b", "straße", "B"], { min: "B", max: "straße", nulls: 0 }],
    ["only nulls", { kind: "utf8" }, [null, null, null], { nulls: 3 }],
    ["nulls in one row group only", { kind: "utf8" }, [null, null, "x"], { min: "x", max: "x", nulls: 2 }],
    ["no rows", { kind: "utf8" }, [], undefined],
    ["list", { kind: "list", item: { name: "item", type: { kind: "int32" }, nullable: false } }, [[1], [2]], undefined],
  ])("%s", (_name, type, values, expected) => {
    expect(told(type, values)).toEqual(expected);
  });

  test("long texts are cut, and still bound all of them by the order of UTF-8", () => {
    const letter = fc.oneof(
      fc.constantFrom("a", "z", "\u{ffff}", "\u{d7ff}", "\u{10ffff}", "é", "\u{1f34e}"),
      fc.string({ unit: anyCharacter, minLength: 1, maxLength: 1 }),
    );
    const text = fc.oneof(
      fc.array(letter, { maxLength: 3 }).map((letters) => letters.join("")),
      fc.tuple(letter, fc.integer({ min: 28, max: 80 }), letter).map(([one, n, last]) => one.repeat(n) + last),
    );
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 6 }), (texts) => {
        const { min, max } = told({ kind: "utf8" }, texts) ?? {};
        for (const each of texts) {
          const bytes = Buffer.from(each);
          if (min !== undefined) expect(Buffer.compare(Buffer.from(String(min)), bytes)).toBeLessThanOrEqual(0);
          if (max !== undefined) expect(Buffer.compare(Buffer.from(String(max)), bytes)).toBeGreaterThanOrEqual(0);
        }
        expect([...String(min ?? "")].length).toBeLessThanOrEqual(32);
        expect([...String(max ?? "")].length).toBeLessThanOrEqual(32);
        if (texts.every((each) => each.length < 8)) expect([min, max]).not.toContain(undefined);
      }),
      { numRuns: 60 },
    );
  });
});
