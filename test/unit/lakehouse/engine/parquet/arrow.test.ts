import {
  Field as ArrowField,
  type DataType,
  DateMillisecond,
  Decimal,
  Dictionary,
  FixedSizeBinary,
  Float32,
  Int16,
  Int32,
  LargeUtf8,
  makeData,
  RecordBatch,
  RecordBatchReader,
  Schema,
  Struct,
  TimestampMillisecond,
  TimestampNanosecond,
  Uint32,
  Uint64,
  Utf8,
  Vector,
  vectorFromArray,
} from "apache-arrow";
import { describe, expect, test } from "vitest";
import type { Field } from "../../../../../lakehouse/engine/columns/column.ts";
import { sliceBatch } from "../../../../../lakehouse/engine/columns/slice.ts";
import {
  batchOfArrow,
  decodeArrowSchema,
  decodeArrowStream,
  encodeArrowStream,
  UnsupportedArrowTypeError,
} from "../../../../../lakehouse/engine/parquet/arrow.ts";
import { batchOf, rowsOf } from "../columns/column-of.ts";
import { everyType, everyTypeRows } from "./every-type.ts";

function arrowBatch<T extends DataType>(name: string, vector: Vector<T>): RecordBatch {
  const schema = new Schema([new ArrowField(name, vector.type, true)]);
  const [data] = vector.data;
  if (data === undefined) throw new Error("no data");
  const root = makeData({ type: new Struct(schema.fields), length: vector.length, nullCount: 0, children: [data] });
  return new RecordBatch(schema, root);
}

describe("every type, with nulls on every level", () => {
  const batch = batchOf(everyType, everyTypeRows);

  test("survives the way through an IPC stream", () => {
    const stream = encodeArrowStream(everyType, [batch, batch]);
    expect(decodeArrowSchema(stream)).toEqual(everyType);
    const batches = [...decodeArrowStream(stream)];
    expect(batches.map((decoded) => decoded.fields)).toEqual([everyType, everyType]);
    expect(rowsOf(batches)).toEqual([...everyTypeRows, ...everyTypeRows]);
  });

  test("slices of ours are written right", () => {
    for (let start = 0; start <= batch.length; start++) {
      const stream = encodeArrowStream(everyType, [sliceBatch(batch, start, batch.length)]);
      expect(rowsOf(decodeArrowStream(stream))).toEqual(everyTypeRows.slice(start));
    }
  });

  test("slices of Arrow's are read right", () => {
    const many = Array.from({ length: 5 }, () => everyTypeRows).flat();
    const schema = encodeArrowStream(everyType, [batchOf(everyType, many)]);
    const whole = [...decodeArrowStream(schema)];
    expect(rowsOf(whole)).toEqual(many);
    for (const arrow of readArrow(schema)) {
      for (const [start, end] of [
        [0, 3],
        [1, 12],
        [9, many.length],
        [many.length, many.length],
      ] as const) {
        expect(rowsOf([batchOfArrow(arrow.slice(start, end))])).toEqual(many.slice(start, end));
        // A slice of a slice adds the offsets up.
        expect(rowsOf([batchOfArrow(arrow.slice(start, many.length).slice(0, end - start))])).toEqual(
          many.slice(start, end),
        );
      }
    }
  });

  test("narrow decimals have their sign in all 128 bits", () => {
    const type: Field["type"] = { kind: "decimal", precision: 9, scale: 2 };
    const fields = [{ name: "c", type, nullable: true }];
    const [arrow] = readArrow(encodeArrowStream(fields, [batchOf(fields, [{ c: "-0.01" }, { c: "0.02" }])]));
    expect([...(arrow?.getChildAt(0)?.data[0]?.values ?? [])]).toEqual([...new Array(4).fill(0xffff_ffff), 2, 0, 0, 0]);
  });

  test("a stream without a batch still has its schema", () => {
    const stream = encodeArrowStream(everyType, []);
    expect(decodeArrowSchema(stream)).toEqual(everyType);
    expect([...decodeArrowStream(stream)]).toEqual([]);
  });
});

describe("forms that other writers use", () => {
  test("dictionaries become plain", () => {
    const type = new Dictionary(new Utf8(), new Int32());
    const arrow = arrowBatch("d", vectorFromArray(["x", "y", null, "x"], type));
    const batch = batchOfArrow(arrow);
    expect(batch.fields).toEqual([{ name: "d", type: { kind: "utf8" }, nullable: true }]);
    expect(rowsOf([batch])).toEqual([{ d: "x" }, { d: "y" }, { d: null }, { d: "x" }]);
    expect(rowsOf([batchOfArrow(arrow.slice(1, 4))])).toEqual([{ d: "y" }, { d: null }, { d: "x" }]);
  });

  test("large strings, narrow numbers, milliseconds", () => {
    const read = <T extends DataType>(vector: Vector<T>) =>
      rowsOf([batchOfArrow(arrowBatch("v", vector))]).map((row) => row["v"]);
    expect(read(vectorFromArray(["a", null, "ccc"], new LargeUtf8()))).toEqual(["a", null, "ccc"]);
    expect(read(vectorFromArray([-5, null], new Int16()))).toEqual([-5, null]);
    expect(read(vectorFromArray([4294967295, null], new Uint32()))).toEqual([4294967295n, null]);
    expect(read(vectorFromArray([0.5, null], new Float32()))).toEqual([0.5, null]);
    expect(read(vectorFromArray([1234, -1], new TimestampMillisecond()))).toEqual([1_234_000n, -1000n]);
  });

  test.each<[string, RecordBatch, RegExp]>([
    ["uint64", arrowBatch("odd", vectorFromArray([1n], new Uint64())), /2\^63/],
    [
      "nanoseconds",
      arrowBatch("odd", new Vector([makeData({ type: new TimestampNanosecond("UTC"), data: BigInt64Array.of(1n) })])),
      /nanoseconds/,
    ],
    ["a local time", arrowBatch("odd", vectorFromArray([1], new TimestampMillisecond("Europe/Berlin"))), /only UTC/],
    ["fixed-size binary", arrowBatch("odd", vectorFromArray([Uint8Array.of(1)], new FixedSizeBinary(1))), /FixedSize/],
    ["date in milliseconds", arrowBatch("odd", vectorFromArray([new Date(0)], new DateMillisecond())), /Date/],
    [
      "256-bit decimals",
      arrowBatch("odd", new Vector([makeData({ type: new Decimal(2, 50, 256), length: 1, data: new Uint32Array(8) })])),
      /128 bits/,
    ],
  ])("what cannot be held exactly is refused, by name: %s", (_, batch, message) => {
    expect(() => batchOfArrow(batch)).toThrow(UnsupportedArrowTypeError);
    expect(() => batchOfArrow(batch)).toThrow(/column odd/);
    expect(() => batchOfArrow(batch)).toThrow(message);
  });
});

describe("columns that do not match their fields", () => {
  const field = (type: Field["type"], nullable = true): Field => ({ name: "c", type, nullable });
  const encode = (fields: Field[], columns: ReturnType<typeof batchOf>["columns"]) =>
    encodeArrowStream(fields, [{ fields, columns, length: columns[0]?.length ?? 0 }]);

  test("another layout, another length, too few columns", () => {
    const ints = batchOf([field({ kind: "int32" })], [{ c: 1 }]).columns;
    expect(() => encode([field({ kind: "utf8" })], ints)).toThrow(/column c: utf8 cannot be held as int32/);
    expect(() => encode([field({ kind: "int32" })], [])).toThrow(/0 columns for 1 fields/);
    const two = batchOf([field({ kind: "int32" })], [{ c: 1 }, { c: 2 }]).columns;
    const fields = [field({ kind: "int32" }), { ...field({ kind: "int32" }), name: "d" }];
    expect(() => encode(fields, [...ints, ...two])).toThrow(/column d has 2 rows, not 1/);
  });

  test("a null where none may be", () => {
    const columns = batchOf([field({ kind: "int32" })], [{ c: 1 }, { c: null }]).columns;
    expect(() => encode([field({ kind: "int32" }, false)], columns)).toThrow(/column c is not nullable, but row 1/);
  });

  test("under a null struct a required field may be null; elsewhere not", () => {
    const type: Field["type"] = { kind: "struct", fields: [{ name: "x", type: { kind: "int32" }, nullable: false }] };
    const masked = batchOf([field(type)], [{ c: null }, { c: { x: 1 } }]);
    expect(rowsOf(decodeArrowStream(encodeArrowStream([field(type)], [masked])))).toEqual([
      { c: null },
      { c: { x: 1 } },
    ]);
    const open = batchOf([field(type)], [{ c: { x: null } }]);
    expect(() => encodeArrowStream([field(type)], [open])).toThrow(/column c\.x is not nullable/);
  });

  test("a decimal wider than its precision, as a kernel could make it", () => {
    const type: Field["type"] = { kind: "decimal", precision: 4, scale: 2 };
    const values = BigInt64Array.of(9999n, -10000n);
    expect(() => encode([field(type)], [{ kind: "int64", type, length: 2, nulls: undefined, values }])).toThrow(
      /column c: row 1 .* more than 4 digits/,
    );
  });
});

function readArrow(stream: Uint8Array): RecordBatch[] {
  return [...RecordBatchReader.from(stream)];
}
