import { describe, expect, test } from "vitest";
import {
  BoolBuilder,
  BytesBuilder,
  createColumnBuilder,
  finishBatch,
  Int32Builder,
  Int64Builder,
  Int128Builder,
  ListBuilder,
  StructBuilder,
} from "../../../../../lakehouse/engine/columns/builder.ts";
import { batchByteLength, columnByteLength } from "../../../../../lakehouse/engine/columns/byte-length.ts";
import type { ColumnType } from "../../../../../lakehouse/engine/columns/column.ts";
import type { Value } from "../../../../../lakehouse/engine/columns/value.ts";
import { columnOf, pushValue, valuesOf } from "./column-of.ts";

const itemsType: ColumnType = {
  kind: "list",
  item: {
    name: "item",
    nullable: true,
    type: {
      kind: "struct",
      fields: [
        { name: "sku", type: { kind: "utf8" }, nullable: true },
        { name: "price", type: { kind: "decimal", precision: 9, scale: 2 }, nullable: true },
      ],
    },
  },
};

const samples: [ColumnType, Value[]][] = [
  [{ kind: "bool" }, [true, null, false]],
  [{ kind: "int32" }, [0, -2147483648, 2147483647, null]],
  [{ kind: "date" }, [null, 20000, -1]],
  [{ kind: "int64" }, [0n, -(2n ** 63n), 2n ** 63n - 1n, null, -1n]],
  [{ kind: "timestamp" }, [1_700_000_000_000_000n, null, -1n]],
  [{ kind: "float64" }, [Number.NaN, -0, 0, Number.POSITIVE_INFINITY, null, 5e-324]],
  [{ kind: "decimal", precision: 18, scale: 3 }, ["999999999999999.999", "-0.001", null, "0.000"]],
  [
    { kind: "decimal", precision: 38, scale: 0 },
    [`-${"9".repeat(38)}`, "9".repeat(38), null, "-1", "18446744073709551615"],
  ],
  [{ kind: "utf8" }, ["", "añ😀", null, "\u{feff}bom", "x".repeat(100)]],
  [{ kind: "binary" }, [Uint8Array.of(0, 255), null, new Uint8Array()]],
  [itemsType, [[], null, [{ sku: "a", price: "1.50" }, null, { sku: null, price: "-0.05" }], [null]]],
  [
    { kind: "struct", fields: [{ name: "b", type: { kind: "bool" }, nullable: true }] },
    [{ b: true }, null, { b: null }],
  ],
];

describe("a value many times", () => {
  test.each([0, 1, 2, 63, 64, 500])("%i times, between others", (count) => {
    const utf8 = new BytesBuilder({ kind: "utf8" });
    const int32 = new Int32Builder({ kind: "int32" });
    const int64 = new Int64Builder({ kind: "timestamp" });
    for (const [text, number] of [
      ["añ😀", -7],
      ["", 2_000_000_000],
    ] as const) {
      utf8.pushString("before");
      utf8.pushRepeated(new TextEncoder().encode(text), count);
      int32.pushNull();
      int32.pushRepeated(number, count);
      int64.pushNull();
      int64.pushNumberRepeated(number * 1_000_000, count);
    }
    const twice = <T>(make: (text: string, number: number) => T, first: T) => [
      first,
      ...Array.from({ length: count }, () => make("añ😀", -7)),
      first,
      ...Array.from({ length: count }, () => make("", 2_000_000_000)),
    ];
    expect(valuesOf(utf8.finish())).toEqual(twice<Value>((text) => text, "before"));
    expect(valuesOf(int32.finish())).toEqual(twice<Value>((_, number) => number, null));
    expect(valuesOf(int64.finish())).toEqual(twice<Value>((_, number) => BigInt(number) * 1_000_000n, null));
  });
});

test.each([0, 1, 63, 64, 500])("%i nulls, between texts, and after them none", (count) => {
  const builder = new BytesBuilder({ kind: "utf8" });
  const nulls = Array.from({ length: count }, () => null);
  for (let round = 0; round < 2; round++) {
    builder.pushString("a");
    builder.pushNulls(count);
    builder.pushString("b");
    builder.pushNulls(count);
    const bytes = builder.byteLength;
    const column = builder.finish();
    expect(valuesOf(column)).toEqual(["a", ...nulls, "b", ...nulls]);
    expect(columnByteLength(column)).toBe(bytes);
  }
  builder.pushString("c");
  builder.pushNulls(0);
  expect(builder.finish().nulls).toBeUndefined();
});

describe("createColumnBuilder", () => {
  test.each(samples)("%j keeps every value, and is reusable", (type, values) => {
    const builder = createColumnBuilder(type);
    for (let round = 0; round < 2; round++) {
      // Enough rows to grow every array a few times.
      const many = Array.from({ length: 50 }, () => values).flat();
      for (const value of many) pushValue(builder, value);
      expect(builder.length).toBe(many.length);
      const bytes = builder.byteLength;
      const column = builder.finish();
      expect(valuesOf(column)).toEqual(many);
      expect(columnByteLength(column)).toBe(bytes);
      expect(builder.length).toBe(0);
    }
  });

  test.each(samples)("%j: a column without null has no marks, also after one with nulls", (type, values) => {
    const builder = createColumnBuilder(type);
    for (const value of values) pushValue(builder, value);
    builder.finish();
    for (const value of values.filter((candidate) => candidate !== null)) pushValue(builder, value);
    expect(builder.finish().nulls).toBeUndefined();
  });

  test.each(samples)("%j: appendFrom copies rows of another column", (type, values) => {
    const source = columnOf(type, values);
    const builder = createColumnBuilder(type);
    for (let i = values.length - 1; i >= 0; i--) builder.appendFrom(source, i);
    expect(valuesOf(builder.finish())).toEqual(values.toReversed());
  });

  test("nulls at the end only, past the first allocation", () => {
    const values = [...Array.from({ length: 300 }, () => 1), null, 2];
    expect(valuesOf(columnOf({ kind: "int32" }, values))).toEqual(values);
  });

  test("appendFrom refuses a column of another layout", () => {
    expect(() => new BoolBuilder({ kind: "bool" }).appendFrom(columnOf({ kind: "int32" }, [1]), 0)).toThrow(
      /kind bool, got int32/,
    );
  });
});

describe("Int64Builder.pushNumber", () => {
  test("writes the same words as push", () => {
    const numbers = [0, 1, -1, 2 ** 31, -(2 ** 31) - 1, 2 ** 32, -(2 ** 32), 2 ** 53 - 1, -(2 ** 53) + 1, 1.7e15];
    const builder = new Int64Builder({ kind: "int64" });
    for (const value of numbers) builder.pushNumber(value);
    expect(valuesOf(builder.finish())).toEqual(numbers.map(BigInt));
  });

  test.each([2 ** 53, 0.5, Number.NaN, Number.POSITIVE_INFINITY])("refuses %d", (value) => {
    const builder = new Int64Builder({ kind: "int64" });
    expect(() => builder.pushNumber(value)).toThrow(RangeError);
    expect(builder.length).toBe(0);
  });
});

describe("values that do not fit are refused, not wrapped", () => {
  test("int32, int64, decimals", () => {
    expect(() => new Int32Builder({ kind: "int32" }).push(2 ** 31)).toThrow(RangeError);
    expect(() => new Int32Builder({ kind: "int32" }).push(1.5)).toThrow(RangeError);
    expect(() => new Int64Builder({ kind: "int64" }).push(2n ** 63n)).toThrow(RangeError);
    const narrow = new Int64Builder({ kind: "decimal", precision: 4, scale: 2 });
    expect(() => narrow.push(10000n)).toThrow(RangeError);
    expect(() => narrow.pushNumber(-10000)).toThrow(RangeError);
    narrow.pushNumber(-9999);
    expect(valuesOf(narrow.finish())).toEqual(["-99.99"]);
    expect(() => new Int128Builder({ kind: "decimal", precision: 20, scale: 0 }).push(10n ** 20n)).toThrow(RangeError);
  });

  test("text with a lone surrogate, bytes beyond their source", () => {
    const builder = new BytesBuilder({ kind: "utf8" });
    expect(() => builder.pushString("a\ud800")).toThrow(/surrogate/);
    expect(() => builder.pushBytes(Uint8Array.of(1, 2), 1, 3)).toThrow(RangeError);
    // A view of the middle of a buffer, in short copies and in long ones.
    const bytes = Uint8Array.from({ length: 1_000 }, (_, i) => 0x61 + (i % 26));
    const view = new DataView(bytes.buffer, 10, 900);
    for (const [start, end] of [
      [899, 901],
      [-1, 3],
      [5, 4],
      [500, 901],
    ] as const) {
      expect(() => builder.pushView(view, start, end)).toThrow(RangeError);
    }
    expect(builder.length).toBe(0);
    const lengths = [0, 1, 2, 3, 4, 5, 191, 192, 193, 600];
    for (const length of lengths) builder.pushView(view, 7, 7 + length);
    const text = new TextDecoder().decode(bytes);
    expect(valuesOf(builder.finish())).toEqual(lengths.map((length) => text.slice(17, 17 + length)));
  });
});

describe("rows of nested builders", () => {
  test("a struct row needs one value in each field", () => {
    const builder = createColumnBuilder({
      kind: "struct",
      fields: [{ name: "a", type: { kind: "bool" }, nullable: true }],
    });
    expect(builder).toBeInstanceOf(StructBuilder);
    if (builder.kind === "struct") expect(() => builder.endRow()).toThrow(/field 0/);
  });

  test("items belong to a row", () => {
    const item = new BoolBuilder({ kind: "bool" });
    const builder = new ListBuilder(
      { kind: "list", item: { name: "item", type: { kind: "bool" }, nullable: true } },
      item,
    );
    item.push(true);
    expect(() => builder.pushNull()).toThrow(/cannot have items/);
    expect(() => builder.finish()).toThrow(/after the last/);
    builder.endRow();
    expect(valuesOf(builder.finish())).toEqual([[true]]);
  });
});

test("finishBatch refuses columns of different lengths", () => {
  const fields = ["a", "b"].map((name) => ({ name, type: { kind: "bool" } as const, nullable: true }));
  const builders = fields.map((field) => new BoolBuilder(field.type));
  builders[0]?.push(true);
  expect(() => finishBatch(fields, builders)).toThrow(/column b has 0 rows/);
  builders[1]?.push(true);
  const batch = finishBatch(fields, builders);
  expect(batch.length).toBe(1);
  expect(batchByteLength(batch)).toBe(2);
});
