import avro from "avsc";
import { describe, expect, it, test } from "vitest";
import { parsingCanonicalForm, semanticForm } from "../../../../schemas/canonical/form.ts";
import { InvalidSchema, parseSchema, parseSchemaText } from "../../../../schemas/canonical/parse.ts";
import { readSchemaText } from "../../../../schemas/release/read.ts";
import { releases } from "../../../../schemas/releases.generated.ts";

const EVERYTHING = {
  type: "record",
  namespace: "a.b",
  name: "R",
  doc: "documented",
  aliases: ["Old"],
  fields: [
    { name: "l", type: { type: "long" }, order: "ignore" },
    { name: "t", type: { type: "long", logicalType: "timestamp-micros" } },
    { name: "e", type: { type: "enum", name: "E", symbols: ["X", "Y"], default: "X" } },
    { name: "f", type: { type: "fixed", name: "c.F", size: 12 } },
    { name: "m", type: { type: "map", values: { type: "array", items: "E" } } },
    { name: "u", type: ["null", "R", "c.F"], default: null },
    { name: "n", type: { type: "record", name: "N", fields: [{ name: "x", type: "float" }] } },
  ],
};

/** A record with two types named Place, in these namespaces. */
function twice(first: string, second: string | undefined): string {
  const place = (namespace: string | undefined, field: string) => ({
    name: field,
    type: { type: "record", name: "Place", ...(namespace === undefined ? {} : { namespace }), fields: [] },
  });
  return JSON.stringify({
    type: "record",
    name: "R",
    namespace: first,
    fields: [place(first, "x"), place(second, "y")],
  });
}

describe("the Parsing Canonical Form", () => {
  test("is avsc's, for all constructs and for every release", () => {
    for (const schema of [EVERYTHING, ...releases.map((release) => release.schema)]) {
      const json = JSON.parse(JSON.stringify(schema));
      const theirs: string = JSON.stringify(avro.Type.forSchema(json).schema());
      expect(parsingCanonicalForm(parseSchema(schema))).toBe(theirs);
    }
  });

  test("a bare name and an object of it are one", () => {
    for (const text of ["string", '"string"', '{"type":"string"}', '{"type":{"type":"string","doc":"x"}}']) {
      expect(parsingCanonicalForm(parseSchemaText(text))).toBe('"string"');
    }
  });
});

describe("the semantic form", () => {
  const form = (schema: unknown) => semanticForm(parseSchema(schema));
  it("does not see order of members, documentation and ways to write a name", () => {
    expect(form({ fields: [], name: "b.R", type: "record", doc: "x" })).toBe(
      form({ type: "record", namespace: "b", name: "R", fields: [] }),
    );
  });
  it("sees logical types, precision and defaults", () => {
    const field = (more: object) => form({ type: "record", name: "R", fields: [{ name: "x", ...more }] });
    expect(form("long")).not.toBe(form({ type: "long", logicalType: "timestamp-micros" }));
    expect(form({ type: "bytes", logicalType: "decimal", precision: 9 })).toBe(
      form({ type: "bytes", logicalType: "decimal", precision: 9, scale: 0 }),
    );
    expect(field({ type: "int" })).not.toBe(field({ type: "int", default: 0 }));
    expect(field({ type: "int", default: 1 })).not.toBe(field({ type: "int", default: 0 }));
  });
});

test.each([
  ["no JSON", "{"],
  ["an unknown type", '"strong"'],
  ["an unnamed record", '{"type":"record","fields":[]}'],
  ["fields that are none", '{"type":"record","name":"R","fields":{}}'],
  ["a bad name", '{"type":"record","name":"R-1","fields":[]}'],
  ["a field without a type", '{"type":"record","name":"R","fields":[{"name":"x"}]}'],
  ["a field twice", '{"type":"record","name":"R","fields":[{"name":"x","type":"int"},{"name":"x","type":"int"}]}'],
  ["a union of two ints", '["int",{"type":"int"}]'],
  ["a union in a union", '[["int"],"null"]'],
  ["a type defined twice", '[{"type":"fixed","name":"F","size":1},{"type":"fixed","name":"F","size":2}]'],
  ["a nested type of the same name in the same namespace", twice("a.b", "a.b")],
  ["a nested type that inherits the namespace of the first", twice("a.b", undefined)],
  ["a type named as a primitive", '{"type":"record","name":"string","fields":[]}'],
  ["a type named as a primitive in a namespace", '{"type":"fixed","name":"a.long","size":1}'],
  ["a namespace that is none", '{"type":"record","name":"R","namespace":"a..b","fields":[]}'],
  ["a namespace with a digit first", '{"type":"record","name":"R","namespace":"a.1b","fields":[]}'],
  ["a field's name with a dot", '{"type":"record","name":"R","fields":[{"name":"a.b","type":"int"}]}'],
  ["a field without a name", '{"type":"record","name":"R","fields":[{"type":"int"}]}'],
  ["an empty name", '{"type":"record","name":"","fields":[]}'],
  ["a symbol twice", '{"type":"enum","name":"E","symbols":["A","B","A"]}'],
  ["a default that is no symbol", '{"type":"enum","name":"E","symbols":["A"],"default":"B"}'],
  ["an alias that is no name", '{"type":"record","name":"R","aliases":["a b"],"fields":[]}'],
  ["aliases that are no list", '{"type":"record","name":"R","fields":[{"name":"x","aliases":"y","type":"int"}]}'],
  ["a symbol that is none", '{"type":"enum","name":"E","symbols":["a b"]}'],
  ["too deep", `${'{"type":"array","items":'.repeat(500)}"int"${"}".repeat(500)}`],
  ["null", "null"],
])("%s is not a schema", (_what, text) => {
  expect(() => parseSchemaText(text)).toThrow(InvalidSchema);
});

test("names that the specification allows", () => {
  for (const text of [
    twice("a.b", "a.c"),
    twice("a.b", ""),
    '{"type":"record","name":"record","fields":[]}',
    '{"type":"record","name":"x.y.R","namespace":"1 no namespace","fields":[{"name":"r","type":["null","R"]}]}',
    '{"type":"enum","name":"E","symbols":["A","a","_1"],"default":"a"}',
    '{"type":"record","name":"R","aliases":["x.y","x.z"],"fields":[{"name":"a","type":"int"},{"name":"A","type":"int"}]}',
  ])
    expect(() => parseSchemaText(text)).not.toThrow();
});

test("a schema that is none says where and what", () => {
  expect(() => parseSchemaText(twice("n", "n"))).toThrow(
    'schema.fields.1.type: the type "n.Place" is defined twice: give one of them another name or namespace',
  );
});

describe("the subset that Sluice uses", () => {
  test("every release is in it, unchanged but for its documentation", () => {
    for (const { schema } of releases) {
      const { record, faults } = readSchemaText(JSON.stringify(schema));
      expect([semanticForm(parseSchema(record)), faults]).toEqual([semanticForm(parseSchema(schema)), []]);
    }
  });
  test.each([
    ["a map", { type: "map", values: "int" }],
    ["an enum", { type: "enum", name: "E", symbols: ["A"] }],
    ["a float", "float"],
    ["a union of three", ["null", "int", "string"]],
    ["itself", ["null", "R"]],
  ])("not %s", (_what, type) => {
    const schema = { type: "record", name: "R", fields: [{ name: "x", type }] };
    expect(() => parseSchema(schema)).not.toThrow();
    expect(readSchemaText(JSON.stringify(schema)).record).toBeUndefined();
  });
});
