import { expect, test } from "vitest";
import { parseAvsc } from "../../../../tools/build/schemas/avsc.ts";

function problemsOf(type: unknown): readonly string[] {
  const fields = [
    { name: "event_id", type: "string" },
    { name: "place", type },
  ];
  const parsed = parseAvsc("v1.avsc", JSON.stringify({ type: "record", name: "Reading", fields }));
  return parsed.ok ? [] : parsed.problems.map(({ message }) => message);
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
  expect(problemsOf(["null", inRecord("double")])).toEqual([]);
});
