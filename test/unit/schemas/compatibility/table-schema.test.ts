import { describe, expect, test } from "vitest";
import type { AvroField, AvroRecord } from "../../../../schemas/avro-schema.ts";
import { defaultProblems } from "../../../../schemas/compatibility/default-value.ts";
import { tableSchema } from "../../../../schemas/compatibility/table-schema.ts";

function record(...fields: AvroField[]): AvroRecord {
  return { type: "record", name: "R", fields };
}
const id: AvroField = { name: "id", type: "string" };

describe("the schema of a topic's tables", () => {
  test("one version is its own table", () => {
    const schema = record(id, { name: "x", type: "int" });
    expect(tableSchema([record(id, { name: "x", type: "int", default: 4 })])).toEqual({ schema, conflicts: [] });
  });

  test("a new field has its default for older rows, or is null", () => {
    const optional: AvroField = { name: "o", type: ["null", "int"], default: null };
    const filled: AvroField = { name: "f", type: "int", default: 4 };
    const bare: AvroField = { name: "b", type: "int" };
    expect(tableSchema([record(id), record(optional, id, filled, bare)]).schema.fields).toEqual([
      optional,
      id,
      filled,
      { name: "b", type: ["null", "int"], default: null },
    ]);
  });

  test("a dropped field stays, null for new rows", () => {
    const gone: AvroField = { name: "g", type: "int", default: 4 };
    expect(tableSchema([record(gone, id), record(id)]).schema.fields).toEqual([
      id,
      { name: "g", type: ["null", "int"], default: null },
    ]);
  });

  test("numbers are as wide, and fields as optional, as any version has them", () => {
    const versions = [record({ name: "x", type: "long" }), record({ name: "x", type: ["null", "int"], default: null })];
    for (const order of [versions, versions.toReversed()])
      expect(tableSchema(order).schema.fields[0]?.type).toEqual(["null", "long"]);
  });

  test("nested fields likewise", () => {
    const items = (...fields: AvroField[]): AvroField => ({
      name: "items",
      type: { type: "array", items: { type: "record", name: "I", fields } },
    });
    const added: AvroField = { name: "n", type: "string", default: "none" };
    expect(tableSchema([record(items(id)), record(items(id, added))]).schema.fields).toEqual([items(id, added)]);
  });

  test("types that no column holds are a conflict, named by the field", () => {
    expect(
      tableSchema([record({ name: "x", type: "int" }), record({ name: "x", type: "string" })]).conflicts,
    ).toMatchObject([{ field: "x" }]);
  });
});

describe("defaults", () => {
  const problem = (field: AvroField) => defaultProblems(record(field)).map(({ path, message }) => ({ path, message }));

  test.each<AvroField>([
    { name: "x", type: "int", default: 1.5 },
    { name: "x", type: "int", default: 2 ** 31 },
    { name: "x", type: "string", default: 1 },
    { name: "x", type: { type: "bytes", logicalType: "decimal", precision: 4, scale: 2 }, default: 1.5 },
    { name: "x", type: { type: "array", items: "int" }, default: ["a"] },
    { name: "x", type: record(id), default: {} },
  ])("$type takes no $default", (field) => {
    expect(problem(field)).toMatchObject([{ path: ["fields", 0, "default"] }]);
  });

  test.each<AvroField>([
    { name: "x", type: "long", default: 1 },
    { name: "x", type: { type: "bytes", logicalType: "decimal", precision: 4, scale: 2 }, default: "\u0001\u00ff" },
    { name: "x", type: { type: "array", items: "int" }, default: [] },
    { name: "x", type: record({ ...id, default: "i" }), default: {} },
    { name: "x", type: ["null", "int"], default: null },
  ])("$type takes $default", (field) => {
    expect(problem(field)).toEqual([]);
  });

  test("an optional field's default is null, nested ones too", () => {
    const nested: AvroField = {
      name: "x",
      type: { type: "array", items: record({ name: "y", type: ["null", "int"] }) },
    };
    expect(problem(nested)).toMatchObject([
      { path: ["fields", 0, "type", "items", "fields", 0], message: expect.stringContaining("must be null") },
    ]);
  });
});
