import { expect, test } from "vitest";
import { readSchemaText } from "../../../schemas/release/read.ts";

const messages = (text: string) => readSchemaText(text).faults.map(({ message }) => message);

function problemsOf(type: unknown): readonly string[] {
  const fields = [
    { name: "event_id", type: "string" },
    { name: "place", type },
  ];
  return messages(JSON.stringify({ type: "record", name: "Reading", fields }));
}
const inRecord = (type: unknown) => ({ type: "record", name: "Place", fields: [{ name: "lat", type }] });

test.each([
  [{ type: "enum", name: "Metric", symbols: ["a"] }, /^field "place": the type "enum" is not supported.*invalidValues/],
  [["null", { type: "enum", name: "Metric", symbols: ["a"] }], /^field "place": the type "enum" is not supported/],
  ["float", /^field "place": the type "float" is not supported: there are "string"/],
  [["null", inRecord("float")], /^field "place.lat": the type "float" is not supported/],
  [inRecord(["null", { type: "map", values: "string" }]), /^field "place.lat": the type .*"map".* is not supported/],
  [{ type: "array", items: "text" }, /^field "place": the type "text" is not supported/],
  ["Address", /^field "place": the type "Address" is not referred to by its name here: write the record out/],
  [undefined, /^field "place": the type nothing is not supported/],
])("a schema with the type %j names field, type and what may be", (type, message) => {
  expect(problemsOf(type)).toEqual([expect.stringMatching(message)]);
});

test("what is supported has no problem", () => {
  expect(problemsOf(inRecord("double"))).toEqual([]);
  const optional = { name: "place", type: ["null", inRecord("double")], default: null };
  expect(messages(JSON.stringify({ type: "record", name: "Reading", fields: [optional] }))).toEqual([]);
});

test.each([
  ['{"type":"record","name":"A","name":"B","fields":[{"name":"x","type":"int"}]}', "name"],
  ['{"type":"record","name":"A","fields":[{"name":"x","type":"int","n\\u0061me":"y"}]}', "name"],
  ['{"type":"record","name":"A","fields":[{"name":"x","type":"int","default":[{"a":1,"b":{},"a":2}]}]}', "a"],
])("a key that is there twice is a fault: %s", (text, key) => {
  expect(messages(text)).toEqual([`an object has the key "${key}" twice: remove one`]);
});

test("equal keys of different objects, and texts that look like keys, are none", () => {
  const text =
    '{"type":"record","name":"A","doc":"{\\"name\\":1,\\"name\\":2}","fields":[{"name":"type","type":"string"},{"name":"name","type":"string"}]}';
  expect(readSchemaText(text)).toMatchObject({ record: { name: "A" }, faults: [] });
});

test("no schema, names and defaults have faults with their place", () => {
  expect(messages("{")).toEqual([expect.stringMatching(/^is not JSON: /)]);
  expect(messages('"string"')).toHaveLength(1);
  const field = (more: object) => JSON.stringify({ type: "record", name: "A", fields: [{ name: "x", ...more }] });
  expect(messages(field({ type: "int", default: "1" }))).toEqual([expect.stringContaining("no value of its type")]);
  expect(messages(field({ type: ["null", "int"] }))).toEqual([expect.stringContaining("default must be null")]);
  expect(messages(field({ type: "int", name: "1x" }))).toEqual([expect.stringContaining("is not the name of a field")]);
});
