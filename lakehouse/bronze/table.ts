/** The bronze table of a topic: its columns, and where its files stand. */
import type { Contract } from "../../contracts/contract.ts";
import { currentSchema } from "../../contracts/registry.ts";
import { codecById } from "../../schemas/codecs.ts";
import { formatDate } from "../../schemas/time.ts";
import type { Field } from "../columns/column.ts";
import { fieldsFromAvro } from "../columns/from-avro.ts";
import { METADATA_FIELDS } from "./metadata.ts";

/** The columns of a topic's events, by its newest schema. */
export function eventFields(contract: Contract): Field[] {
  const { id } = currentSchema(contract);
  const codec = codecById(id);
  if (codec === undefined) throw new Error(`schema ${id} of topic ${contract.topic} is not compiled in`);
  return fieldsFromAvro(codec.schema);
}

export function partitionField(contract: Contract): Field {
  return { name: contract.partition.column, type: { kind: "date" }, nullable: false };
}

export function bronzeFields(contract: Contract): Field[] {
  return [...eventFields(contract), partitionField(contract), ...METADATA_FIELDS];
}

/** Columns worth a dictionary: those the contract lists the values of, and what is constant within a file. */
export function dictionaryColumns(contract: Contract): string[] {
  const listed = contract.fields.filter((field) => field.accepted !== undefined).map((field) => field.name);
  return [...listed, "_message", "_producer", "_schema"];
}

/** A flush of one shard: names its files. */
export interface FlushName {
  readonly topic: string;
  readonly shard: number;
  readonly incarnation: string;
  readonly seq: number;
}

function flushFile(flush: FlushName): string {
  return `${String(flush.shard).padStart(3, "0")}-${flush.incarnation}-${String(flush.seq).padStart(8, "0")}.parquet`;
}

/** `bronze/<topic>/<column>=<date>/<shard>-<incarnation>-<seq>.parquet`. */
export function partitionKey(contract: Contract, day: number, flush: FlushName): string {
  return `bronze/${flush.topic}/${contract.partition.column}=${formatDate(day)}/${flushFile(flush)}`;
}

/** Rare dates of one flush share a file, outside the hive path because it belongs to no single partition. */
export function mixedKey(flush: FlushName): string {
  return `bronze_mixed/${flush.topic}/${flushFile(flush)}`;
}
