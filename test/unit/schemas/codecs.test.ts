import { expect, test } from "vitest";
import type { AvroRecord } from "../../../schemas/avro-schema.ts";
import { buildCodec } from "../../../schemas/codecs.ts";

test.each([
  ["a record that is named as the envelope", "Envelope", undefined],
  ["one in a namespace", "Envelope", "shop"],
  ["a name that brings its namespace", "sluice.Envelope", undefined],
])("%s goes into its envelope", (_what, name, namespace) => {
  const inner: AvroRecord = { type: "record", name: "Envelope2", fields: [{ name: "x", type: "int" }] };
  const fields = [
    { name: "id", type: "string" },
    { name: "inner", type: inner },
  ] as const;
  const schema: AvroRecord = { type: "record", name, ...(namespace === undefined ? {} : { namespace }), fields };
  const codec = buildCodec({ id: 100_001, topic: "things", version: 1, schema });
  const envelope = { index: 0, extra: null, lexical: null, event: { id: "a", inner: { x: 1 } } };
  expect(codec.envelope.fromBuffer(codec.envelope.toBuffer(envelope))).toMatchObject(envelope);
});
