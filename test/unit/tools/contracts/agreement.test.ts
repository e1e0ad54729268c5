import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import type { AvroField, SchemaRelease } from "../../../../schemas/avro-schema.ts";
import { compileContract } from "../../../../tools/build/contracts/compile.ts";
import { loadSchemas } from "../../../../tools/build/schemas/load.ts";

const root = resolve(import.meta.dirname, "../../../..");
const orders = readFileSync(join(root, "contracts/orders.yaml"), "utf8");
const released = loadSchemas(root).releases.filter((release) => release.topic === "orders");

/** What the compiler says of orders.yaml when the versions of its schema are these. */
function complaints(versions: readonly SchemaRelease[], text = orders): string[] {
  const compiled = compileContract({ file: "contracts/orders.yaml", text }, versions);
  return compiled.ok ? [] : compiled.problems.map(({ message }) => message);
}

function withFields(version: number, change: (fields: readonly AvroField[]) => readonly AvroField[]): SchemaRelease[] {
  return released.map((release) =>
    release.version === version
      ? { ...release, schema: { ...release.schema, fields: change(release.schema.fields) } }
      : release,
  );
}

const channel = (field: Partial<AvroField>) => (fields: readonly AvroField[]) =>
  fields.map((each) => (each.name === "channel" ? { ...each, ...field } : each));
const without = (name: string) => (fields: readonly AvroField[]) => fields.filter((field) => field.name !== name);

test("an older version may lack a field, required or not, or have it optional", () => {
  expect(complaints(released)).toEqual([]);
  expect(complaints(withFields(1, without("channel")))).toEqual([]);
  expect(complaints(withFields(1, channel({ type: ["null", "string"], default: null })))).toEqual([]);
});

test("the newest version is as the contract says", () => {
  expect(complaints(withFields(2, without("channel"))).join()).toContain(
    'required field "channel" is not in the Avro schema',
  );
  expect(complaints(withFields(2, channel({ type: ["null", "string"], default: null }))).join()).toContain(
    "may be null",
  );
});

test("a field that the newest version dropped is still described, one of no version is not", () => {
  expect(complaints(withFields(2, without("coupon")))).toEqual([]);
  const nowhere = released.map((release) => ({
    ...release,
    schema: { ...release.schema, fields: without("coupon")(release.schema.fields) },
  }));
  expect(complaints(nowhere)).toEqual([expect.stringContaining('field "coupon" is in no version of the Avro schema')]);
});

test("a kind differs in no version", () => {
  expect(complaints(withFields(1, channel({ type: "int" }))).join()).toContain(
    '"channel" is string in the contract but integer',
  );
});

test("keys and the event time stand in every version", () => {
  expect(complaints(withFields(1, without("event_id"))).join()).toContain("every version must have it");
});

test("a rule cannot rely on a field that an older version lacks, unless that is retired", () => {
  const text = orders.replace('expression: "abs(', `expression: "event.channel != 'store' && abs(`);
  expect(text).not.toBe(orders);
  const lacking = withFields(1, without("channel"));
  expect(complaints(lacking, text)).toEqual([expect.stringContaining("has(event.channel)")]);
  expect(
    complaints(
      lacking.map((each) => (each.version === 1 ? { ...each, retired: true } : each)),
      text,
    ),
  ).toEqual([]);
});

test("the mode is one of the registry's", () => {
  const custom = "  - { property: unknownFields, value: keep }\n";
  const text = orders.replace(custom, `${custom}  - { property: compatibility, value: SIDEWAYS }\n`);
  expect(complaints(released, text).join()).toContain("compatibility");
});
