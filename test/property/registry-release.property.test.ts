/** What the registry says of a schema's compatibility is what `sluice schemas release` does with it, whatever the mode. */

import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { contracts } from "../../contracts/registry.ts";
import { RegistryError } from "../../gateway/registry/error.ts";
import { objections } from "../../gateway/registry/subjects.ts";
import { semanticForm } from "../../schemas/canonical/form.ts";
import { InvalidSchema, parseSchemaText } from "../../schemas/canonical/parse.ts";
import { codecById } from "../../schemas/codecs.ts";
import { COMPATIBILITY_MODES } from "../../schemas/compatibility/modes.ts";
import { reviewSchemas } from "../../tools/build/schemas/release.ts";
import { longOrShare } from "../long-share.ts";

const root = mkdtempSync(join(tmpdir(), "sluice-registry-"));
afterAll(() => rmSync(root, { recursive: true }));

const topic = "campaign_events";
const contract = contracts.find((each) => each.topic === topic);
if (contract === undefined) throw new Error(`there is no ${topic}`);
const released = contract.schemas.map(({ id, version }) => {
  const codec = codecById(id);
  if (codec === undefined) throw new Error(`schema ${id} has no codec`);
  return { id, topic, version, text: JSON.stringify(codec.schema) };
});
const next = released.length + 1;
const newest: { readonly fields: readonly Field[]; readonly [member: string]: unknown } = JSON.parse(
  released.at(-1)?.text ?? "",
);

type Field = { readonly name: string; readonly type: unknown; readonly [member: string]: unknown };

for (const path of ["schemas", `schemas/${topic}`, "contracts"]) mkdirSync(join(root, path));
for (const { version, text } of released) writeFileSync(join(root, `schemas/${topic}/v${version}.avsc`), text);
const releases = released.map(({ text, ...entry }) => ({
  ...entry,
  sha256: createHash("sha256").update(text).digest("hex"),
}));
writeFileSync(join(root, "schemas/releases.json"), JSON.stringify({ releases }));

const types = fc.constantFrom<unknown>(
  "string",
  "int",
  "long",
  "double",
  "float",
  "boolean",
  "bytes",
  "Other",
  ["null", "string"],
  ["string", "null"],
  ["null", "string", "int"],
  ["string", "string"],
  { type: "long", logicalType: "timestamp-micros" },
  { type: "long", logicalType: "timestamp-millis" },
  { type: "bytes", logicalType: "decimal", precision: 10, scale: 2 },
  { type: "bytes", logicalType: "decimal", precision: 38, scale: 20 },
  { type: "bytes", logicalType: "decimal", precision: 2, scale: 3 },
  { type: "array", items: "int" },
  { type: "map", values: "int" },
  { type: "enum", name: "E", symbols: ["A"] },
  { type: "record", name: "Inner", fields: [{ name: "a", type: "int" }] },
  { type: "record", name: newest["name"], fields: [{ name: "a", type: "int" }] },
  { type: "record", name: "Empty", fields: [] },
);
const defaults = fc.constantFrom<object>({}, { default: null }, { default: 1 }, { default: "x" }, { default: [] });
const added = fc
  .record({ name: fc.constantFrom("note", "1st", "event_id", "x"), type: types, more: defaults })
  .map(({ name, type, more }): Field => ({ name, type, ...more }));
const position = fc.nat(newest.fields.length - 1);

const mutations = fc.oneof(
  added.map((field) => ({ ...newest, fields: [...newest.fields, field] })),
  position.map((at) => ({ ...newest, fields: newest.fields.filter((_, index) => index !== at) })),
  fc.tuple(position, types, defaults).map(([at, type, more]) => ({
    ...newest,
    fields: newest.fields.map((field, index) => (index === at ? { name: field.name, type, ...more } : field)),
  })),
  fc.tuple(position, defaults).map(([at, more]) => ({
    ...newest,
    fields: newest.fields.map((field, index) => (index === at ? { ...field, ...more } : field)),
  })),
  fc
    .constantFrom<object>({ name: "Renamed" }, { namespace: "else.where" }, { namespace: "1" }, { fields: [] })
    .map((change) => ({ ...newest, ...change })),
  fc
    .tuple(position, fc.constantFrom<object>({ aliases: ["a"] }, { order: "ignore" }, { doc: 1 }))
    .map(([at, more]) => ({
      ...newest,
      fields: newest.fields.map((field, index) => (index === at ? { ...field, ...more } : field)),
    })),
  fc.constantFrom<unknown>("string", { type: "array", items: "int" }, 1, null, { type: "record" }),
  fc.constantFrom(...released.map(({ text }): unknown => JSON.parse(text))),
);

test("registry and release give one answer", () => {
  fc.assert(
    fc.property(mutations, fc.constantFrom(...COMPATIBILITY_MODES), (schema, mode) => {
      const text = JSON.stringify(schema);
      writeFileSync(join(root, `schemas/${topic}/v${next}.avsc`), text);
      const properties = `customProperties:\n  - { property: compatibility, value: ${mode} }\n`;
      writeFileSync(join(root, `contracts/${topic}.yaml`), properties);
      const problems = reviewSchemas(root).problems.map(({ message }) => message);
      const said = answerOf(text, mode);
      // The newest version in other words has nothing to be released, and is no objection (docs/schema-evolution.md).
      const refused = isNewest(text) ? false : problems.length > 0;
      expect({ text, mode, refused: said.length > 0, said }).toEqual({ text, mode, refused, said });
    }),
    { numRuns: longOrShare(300, 100) },
  );
});

function answerOf(text: string, compatibility: (typeof COMPATIBILITY_MODES)[number]): readonly string[] {
  if (contract === undefined) return [];
  try {
    return objections(
      { ...contract, compatibility },
      text,
      released.map(({ version }) => version),
    );
  } catch (error) {
    if (error instanceof RegistryError) return [error.message];
    throw error;
  }
}

function isNewest(text: string): boolean {
  try {
    return semanticForm(parseSchemaText(text)) === semanticForm(parseSchemaText(JSON.stringify(newest)));
  } catch (error) {
    if (error instanceof InvalidSchema) return false;
    throw error;
  }
}
