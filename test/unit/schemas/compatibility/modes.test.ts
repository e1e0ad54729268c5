import { expect, test } from "vitest";
import type { AvroField, AvroRecord } from "../../../../schemas/avro-schema.ts";
import {
  COMPATIBILITY_MODES,
  type CompatibilityMode,
  incompatibilities,
} from "../../../../schemas/compatibility/modes.ts";

const id: AvroField = { name: "id", type: "string" };
const defaulted: AvroField = { name: "x", type: "int", default: 0 };
const bare: AvroField = { name: "x", type: "int" };

function versions(...schemas: (readonly AvroField[])[]) {
  return schemas.map((fields, i) => ({
    version: i + 1,
    schema: { type: "record", name: "R", fields } satisfies AvroRecord,
  }));
}

function refusing(...schemas: (readonly AvroField[])[]): CompatibilityMode[] {
  const all = versions(...schemas);
  const candidate = all.at(-1);
  if (candidate === undefined) throw new Error("no version");
  return COMPATIBILITY_MODES.filter((mode) => incompatibilities(candidate, all.slice(0, -1), mode).length > 0);
}

test("a new field with a default goes in every mode, one without only forward", () => {
  expect(refusing([id], [id, defaulted])).toEqual([]);
  expect(refusing([id], [id, bare])).toEqual(["BACKWARD", "FULL", "BACKWARD_TRANSITIVE", "FULL_TRANSITIVE"]);
});

test("a field that goes was optional, or only new readers get on", () => {
  expect(refusing([id, defaulted], [id])).toEqual([]);
  expect(refusing([id, bare], [id])).toEqual(["FORWARD", "FULL", "FORWARD_TRANSITIVE", "FULL_TRANSITIVE"]);
});

test("only the transitive modes look past the version before", () => {
  // x goes and comes back with another type: v2 and v3 know nothing of v1's.
  const text: AvroField = { name: "x", type: "string", default: "" };
  expect(refusing([id, defaulted], [id], [id, text])).toEqual([
    "BACKWARD_TRANSITIVE",
    "FORWARD_TRANSITIVE",
    "FULL_TRANSITIVE",
  ]);
});

test("a widened number is backward only; the versions are named", () => {
  const wide: AvroField = { name: "x", type: "long" };
  expect(refusing([id, bare], [id, wide])).toEqual(["FORWARD", "FULL", "FORWARD_TRANSITIVE", "FULL_TRANSITIVE"]);
  const [v1, v2] = versions([id, bare], [id, wide]);
  if (v1 === undefined || v2 === undefined) throw new Error("no version");
  expect(incompatibilities(v2, [v1], "FULL")).toMatchObject([{ reader: 1, writer: 2, field: "x" }]);
});

test("a first version has nothing to be compared with", () => {
  expect(refusing([bare])).toEqual([]);
});
