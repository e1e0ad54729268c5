import { describe, expect, test } from "vitest";
import type { AvroField, AvroRecord, AvroType } from "../../../../schemas/avro-schema.ts";
import { canRead } from "../../../../schemas/compatibility/can-read.ts";

const micros: AvroType = { type: "long", logicalType: "timestamp-micros" };
const date: AvroType = { type: "int", logicalType: "date" };
const money: AvroType = { type: "bytes", logicalType: "decimal", precision: 12, scale: 2 };

function record(...fields: AvroField[]): AvroRecord {
  return { type: "record", name: "R", fields };
}

describe("canRead, rule by rule (Avro 1.12, Schema Resolution)", () => {
  test.each<[reader: AvroType, writer: AvroType]>([
    ["long", "int"],
    ["double", "int"],
    ["double", "long"],
    ["string", "bytes"],
    ["bytes", "string"],
  ])("%s reads %s, a promotion", (reader, writer) => {
    expect(canRead(reader, writer)).toEqual([]);
  });

  test.each<[reader: AvroType, writer: AvroType]>([
    ["int", "long"],
    ["int", "double"],
    ["long", "double"],
    ["string", "int"],
    ["boolean", "int"],
    ["double", "string"],
  ])("%s does not read %s", (reader, writer) => {
    expect(canRead(reader, writer)).toMatchObject([{ kind: "TYPE", readerPath: [], writerPath: [], field: "" }]);
  });

  test("decimals of another precision or scale do not match", () => {
    expect(canRead(money, { ...money, precision: 14 })).toMatchObject([
      { kind: "DECIMAL", message: expect.stringContaining("read as decimal(12,2) but written as decimal(14,2)") },
    ]);
    expect(canRead(money, money)).toEqual([]);
  });

  test("a logical type only reads itself", () => {
    for (const [reader, writer] of [
      [micros, "long"],
      ["long", micros],
      ["int", date],
      ["bytes", money],
    ] as const) {
      expect(canRead(reader, writer)).toMatchObject([{ kind: "LOGICAL_TYPE" }]);
    }
    expect(canRead(micros, date)).toMatchObject([{ kind: "TYPE" }]);
  });

  test("optional reads required, required does not read null", () => {
    expect(canRead(["null", "int"], "int")).toEqual([]);
    expect(canRead(["null", "long"], ["int", "null"])).toEqual([]);
    expect(canRead("int", ["null", "int"])).toMatchObject([
      { kind: "NULL", message: expect.stringContaining("null may be written") },
    ]);
    expect(canRead("null", ["null", "int"])).toMatchObject([{ kind: "NULL" }]);
  });

  test("each branch of a union is compared, and its path names the branch", () => {
    expect(canRead(["null", "int"], ["string", "null"])).toMatchObject([
      { kind: "TYPE", readerPath: [1], writerPath: [0] },
    ]);
  });

  test("a field that the writer lacks needs a default in the reader; a field that the reader lacks is ignored", () => {
    const a: AvroField = { name: "a", type: "int" };
    expect(canRead(record(a, { name: "b", type: "int" }), record(a))).toMatchObject([
      { kind: "MISSING_DEFAULT", field: "b", readerPath: ["fields", 1], writerPath: [] },
    ]);
    expect(canRead(record(a, { name: "b", type: "int", default: 0 }), record(a))).toEqual([]);
    expect(canRead(record(a), record({ name: "b", type: "int" }, a))).toEqual([]);
  });

  test("fields match by name, whatever their order", () => {
    const [a, b]: [AvroField, AvroField] = [
      { name: "a", type: "int" },
      { name: "b", type: "string" },
    ];
    expect(canRead(record(a, b), record(b, a))).toEqual([]);
  });

  test("records match by their unqualified name", () => {
    expect(canRead({ ...record(), namespace: "x" }, { ...record(), namespace: "y" })).toEqual([]);
    expect(canRead(record(), { ...record(), name: "S" })).toMatchObject([{ kind: "RECORD_NAME" }]);
  });

  test("arrays and records are compared inside, with the path and the field's name", () => {
    const order = (price: AvroType): AvroRecord =>
      record({
        name: "items",
        type: { type: "array", items: { type: "record", name: "I", fields: [{ name: "price", type: price }] } },
      });
    const path = ["fields", 0, "type", "items", "fields", 0, "type"];
    expect(canRead(order("int"), order("string"))).toMatchObject([
      { kind: "TYPE", field: "items.price", readerPath: path, writerPath: path },
    ]);
    expect(canRead({ type: "array", items: "int" }, "int")).toMatchObject([{ kind: "TYPE" }]);
  });
});
