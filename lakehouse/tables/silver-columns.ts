/** The silver table of a topic: bronze's columns, one row per (dedupe key, date), and a hash of each. */
import type { Contract } from "../../contracts/contract.ts";
import type { AvroRecord } from "../../schemas/avro-schema.ts";
import { METADATA_FIELDS } from "../bronze/metadata.ts";
import type { Field } from "../engine/columns/column.ts";
import { fieldsFromAvro } from "../engine/columns/from-avro.ts";

/** The SHA-256 of what the event says, as 64 hexadecimal digits (`lakehouse/builds/silver/record-hash.ts`). */
export const RECORD_HASH_FIELD = {
  name: "record_hash",
  type: { kind: "utf8" },
  nullable: false,
} as const satisfies Field;

export function silverTableName(topic: string): string {
  return `silver_${topic}`;
}

/** The columns of a topic's silver table, by the schema of its tables (`schemas/compatibility/table-schema.ts`). */
export function silverFields(contract: Contract, schema: AvroRecord): Field[] {
  const event = fieldsFromAvro(schema);
  // An event with a field of that name keeps it: nothing is derived beside it.
  const hash = event.some(({ name }) => name === RECORD_HASH_FIELD.name) ? [] : [RECORD_HASH_FIELD];
  return [
    ...event,
    { name: contract.partition.column, type: { kind: "date" }, nullable: false },
    ...METADATA_FIELDS,
    ...hash,
  ];
}
