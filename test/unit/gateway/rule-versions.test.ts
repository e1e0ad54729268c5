/** Rules see what an event's own schema version knows: a later version's field is absent, whatever stands under its name. */
import { expect, test } from "vitest";
import type { Contract, FieldRule } from "../../../contracts/contract.ts";
import { contractOf } from "../../../contracts/registry.ts";
import { createTopicAdmitter } from "../../../gateway/admit/topics.ts";
import type { AvroField } from "../../../schemas/avro-schema.ts";
import { buildCodec } from "../../../schemas/codecs.ts";
import { createEventBuffer } from "../../../schemas/event-buffer.ts";
import { checkRule } from "../../../tools/build/contracts/rules/check-rule.ts";

const weather = contractOf("weather");
if (weather === undefined) throw new Error("there is no weather");

const base: readonly AvroField[] = [
  { name: "id", type: "string" },
  { name: "at", type: { type: "long", logicalType: "timestamp-micros" } },
  { name: "schema_version", type: "int" },
];
const later: AvroField = { name: "stars", type: ["null", "int"], default: null };
const codecs = [base, [...base, later]].map((fields, index) =>
  buildCodec({
    id: 990_001 + index,
    topic: "things",
    version: index + 1,
    schema: { type: "record", name: "T", fields },
  }),
);
const fields: readonly FieldRule[] = [
  { name: "id", kind: "string", required: true },
  { name: "at", kind: "timestamp", required: true },
  { name: "schema_version", kind: "integer", required: true },
  { name: "stars", kind: "integer", required: false },
];
const expression = "!has(event.stars) || event.stars < 6";
const things: Contract = {
  ...weather,
  topic: "things",
  dedupeKey: ["id"],
  shardKey: ["id"],
  eventTime: "at",
  eventTimeWindow: null,
  fields,
  rules: [
    {
      id: "things.stars",
      pointer: "/stars",
      description: "At most five",
      expression,
      program: checkRule(expression, fields),
    },
  ],
  schemas: codecs.map(({ id, version }) => ({ id, version })),
};

test.each([
  [2, 3, true],
  [2, 9, false],
  [1, 9, true],
  [1, "many", true],
])("version %d, stars %s: %s", (version, stars, accepted) => {
  const admitter = createTopicAdmitter(things, codecs);
  const event = { id: "a", at: "2026-11-29T00:00:00.000Z", schema_version: version, stars };
  const context = { received: 0, suspectSurrogates: false, output: createEventBuffer(64), masker: null };
  expect(admitter.admit(event, 0, null, context).accepted).toBe(accepted);
});
