import { describe, expect, test } from "vitest";
import { columnByteLength } from "../../../../../lakehouse/engine/columns/byte-length.ts";
import type { ColumnType } from "../../../../../lakehouse/engine/columns/column.ts";
import {
  concatBatches,
  concatColumns,
  gather,
  gatherBatch,
  sliceBatch,
  sliceColumn,
} from "../../../../../lakehouse/engine/columns/gather.ts";
import type { Value } from "../../../../../lakehouse/engine/columns/value.ts";
import { batchOf, columnOf, rowsOf, valuesOf } from "./column-of.ts";

const text: ColumnType = { kind: "utf8" };
const samples: [ColumnType, Value[]][] = [
  [{ kind: "bool" }, [true, null, false, true]],
  [{ kind: "int32" }, [1, 2, null, 4]],
  [{ kind: "int64" }, [1n, -(2n ** 63n), null, 2n ** 40n]],
  [{ kind: "decimal", precision: 30, scale: 2 }, ["-1.00", "12345678901234567890123.45", null, "0.01"]],
  [{ kind: "float64" }, [0.5, null, -0, 3]],
  [text, ["", "bb", null, "cccc"]],
  [{ kind: "list", item: { name: "item", type: text, nullable: true } }, [["a", null], null, [], ["b", "cc", "d"]]],
  [
    { kind: "struct", fields: [{ name: "x", type: text, nullable: true }] },
    [{ x: "1" }, null, { x: null }, { x: "4" }],
  ],
];

describe.each(samples)("%j", (type, values) => {
  const column = columnOf(type, values);

  test("gather picks, repeats and reorders, also from a slice", () => {
    expect(valuesOf(gather(column, Int32Array.of(3, 1, 1, 0)))).toEqual([values[3], values[1], values[1], values[0]]);
    expect(valuesOf(gather(sliceColumn(column, 1, 4), Int32Array.of(2, 0)))).toEqual([values[3], values[1]]);
    expect(gather(column, new Int32Array()).length).toBe(0);
  });

  test("gather drops the marks when no null was picked", () => {
    expect(gather(column, Int32Array.of(0, 3)).nulls).toBeUndefined();
  });

  test("slices are views, and concatenate again", () => {
    for (let cut = 0; cut <= values.length; cut++) {
      const parts = [sliceColumn(column, 0, cut), sliceColumn(column, cut, values.length)];
      expect(parts.flatMap(valuesOf)).toEqual(values);
      expect(valuesOf(concatColumns(parts))).toEqual(values);
    }
    expect(valuesOf(concatColumns([column, sliceColumn(column, 1, 3), column]))).toEqual([
      ...values,
      ...values.slice(1, 3),
      ...values,
    ]);
  });

  test("a slice counts its own bytes only", () => {
    const copied = columnOf(type, values.slice(1, 4));
    expect(columnByteLength(sliceColumn(column, 1, 4))).toBe(columnByteLength(copied));
  });
});

test("batches", () => {
  const fields = [
    { name: "a", type: { kind: "int32" } as const, nullable: true },
    { name: "b", type: text, nullable: true },
  ];
  const batch = batchOf(fields, [
    { a: 1, b: "x" },
    { a: null, b: "y" },
    { a: 3, b: null },
  ]);
  expect(rowsOf([sliceBatch(batch, 1, 3)])).toEqual([
    { a: null, b: "y" },
    { a: 3, b: null },
  ]);
  expect(rowsOf([gatherBatch(batch, Int32Array.of(2, 0))])).toEqual([
    { a: 3, b: null },
    { a: 1, b: "x" },
  ]);
  expect(rowsOf([concatBatches([batch, sliceBatch(batch, 0, 1)])])).toEqual([...rowsOf([batch]), { a: 1, b: "x" }]);
});

test("refusals", () => {
  const column = columnOf(text, ["a"]);
  expect(() => sliceColumn(column, 0, 2)).toThrow(RangeError);
  expect(() => sliceColumn(column, 1, 0)).toThrow(RangeError);
  expect(() => concatColumns([])).toThrow(RangeError);
  expect(() => concatColumns([column, columnOf({ kind: "bool" }, [true])])).toThrow(TypeError);
  expect(() => concatBatches([])).toThrow(RangeError);
  const one = batchOf([{ name: "a", type: text, nullable: true }], []);
  const other = batchOf([{ name: "b", type: text, nullable: true }], []);
  expect(() => concatBatches([one, other])).toThrow(TypeError);
});
