/** The silver table of a topic: bronze's columns, one row per (dedupe key, date), and how many copies there were. */
import type { Contract } from "../../contracts/contract.ts";
import type { AvroRecord } from "../../schemas/avro-schema.ts";
import { METADATA_FIELDS } from "../bronze/metadata.ts";
import type { Field } from "../engine/columns/column.ts";
import { fieldsFromAvro } from "../engine/columns/from-avro.ts";

/** How many bronze rows a silver row stands for, itself included. */
export const COPIES_FIELD = { name: "_copies", type: { kind: "int32" }, nullable: false } as const satisfies Field;

export function silverTableName(topic: string): string {
  return `silver_${topic}`;
}

/** The columns of a topic's silver table, by the schema of its tables (`schemas/compatibility/table-schema.ts`). */
export function silverFields(contract: Contract, schema: AvroRecord): Field[] {
  return [
    ...fieldsFromAvro(schema),
    { name: contract.partition.column, type: { kind: "date" }, nullable: false },
    ...METADATA_FIELDS,
    COPIES_FIELD,
  ];
}
