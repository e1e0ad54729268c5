/** A topic with every type that a field can have. */
import type { Contract } from "../../contracts/contract.ts";
import { contractOf } from "../../contracts/registry.ts";
import type { AvroRecord } from "../../schemas/avro-schema.ts";
import { buildCodec, type SchemaCodec } from "../../schemas/codecs.ts";

/** A contract and schema that the registry does not have. No contract of the shop has every type; this one has, nested, without rules that random events would break. */
export const everything: { contract: Contract; codec: SchemaCodec } = (() => {
  const decimal = { type: "bytes", logicalType: "decimal", precision: 20, scale: 4 } as const;
  const inner: AvroRecord = {
    type: "record",
    name: "Inner",
    fields: [
      { name: "double", type: "double" },
      { name: "decimals", type: { type: "array", items: decimal } },
      { name: "at", type: ["null", { type: "long", logicalType: "timestamp-micros" }], default: null },
      { name: "grid", type: { type: "array", items: { type: "array", items: "int" } } },
    ],
  };
  const schema: AvroRecord = {
    type: "record",
    name: "Everything",
    fields: [
      { name: "id", type: "string" },
      { name: "time", type: { type: "long", logicalType: "timestamp-micros" } },
      { name: "long", type: "long" },
      { name: "int", type: ["null", "int"], default: null },
      { name: "day", type: ["null", { type: "int", logicalType: "date" }], default: null },
      { name: "flag", type: "boolean" },
      { name: "one", type: ["null", inner], default: null },
      { name: "many", type: { type: "array", items: { ...inner, name: "Many" } } },
      { name: "doubles", type: { type: "array", items: "double" } },
    ],
  };
  const orders = contractOf("orders");
  if (orders === undefined) throw new Error("there is no topic orders");
  const contract: Contract = {
    ...orders,
    topic: "everything",
    dedupeKey: ["id"],
    shardKey: ["id"],
    eventTime: "time",
    rules: [],
    fields: [{ name: "flag", kind: "boolean", required: true, accepted: ["true"] }],
    schemas: [{ id: 1, version: 1 }],
  };
  return { contract, codec: buildCodec({ id: 1, topic: "everything", version: 1, schema }) };
})();
