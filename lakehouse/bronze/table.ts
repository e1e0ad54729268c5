/** The bronze table of a topic: its columns, and where its files stand. */
import type { Contract } from "../../contracts/contract.ts";
import type { AvroRecord } from "../../schemas/avro-schema.ts";
import { codecById } from "../../schemas/codecs.ts";
import { tableSchema } from "../../schemas/compatibility/table-schema.ts";
import { formatDate } from "../../schemas/time.ts";
import type { Field } from "../engine/columns/column.ts";
import { sameType } from "../engine/columns/column-kind.ts";
import { fieldsFromAvro } from "../engine/columns/from-avro.ts";
import { METADATA_FIELDS } from "./metadata.ts";

function versionsOf(contract: Contract): AvroRecord[] {
  return contract.schemas.map(({ id }) => {
    const codec = codecById(id);
    if (codec === undefined) throw new Error(`schema ${id} of topic ${contract.topic} is not compiled in`);
    return codec.schema;
  });
}

/** The schema of a topic's tables, which hold the rows of every released version. */
export function eventSchema(contract: Contract): AvroRecord {
  return tableSchema(versionsOf(contract)).schema;
}

/** The event columns that files of some version lack or have in another type: what a reader must fill. */
export function evolvedFields(contract: Contract): readonly Field[] {
  const versions = versionsOf(contract).map(fieldsFromAvro);
  return eventFields(contract).filter((field) =>
    versions.some((version) => {
      const own = version.find(({ name }) => name === field.name);
      return own === undefined || !sameType(own.type, field.type);
    }),
  );
}

/** The columns of a topic's events. */
export function eventFields(contract: Contract): Field[] {
  return fieldsFromAvro(eventSchema(contract));
}

export function partitionField(contract: Contract): Field {
  return { name: contract.partition.column, type: { kind: "date" }, nullable: false };
}

export function bronzeFields(contract: Contract): Field[] {
  return tableFields(eventFields(contract), partitionField(contract));
}

/** The columns of bronze in their order: those of the events, the date, and what the platform notes of each row. */
export function tableFields(events: readonly Field[], partition: Field): Field[] {
  return [...events, partition, ...METADATA_FIELDS];
}

/** How a topic's bronze stands in Parquet: a part of `ParquetWriteOptions`. */
export interface BronzeLayout {
  readonly fields: readonly Field[];
  /**
   * Columns worth a dictionary: those the contract lists the values of, and lists and structs, whose values come again and again
   * (files of orders are a tenth smaller for the same CPU). Metadata, the same for whole messages, is not: ZSTD makes as little
   * of its repeats without one, and sooner.
   */
  readonly dictionaryColumns: readonly string[];
}

export function bronzeLayout(contract: Contract): BronzeLayout {
  const fields = bronzeFields(contract);
  return {
    fields,
    dictionaryColumns: [
      ...contract.fields.filter((field) => field.accepted !== undefined).map((field) => field.name),
      ...fields.filter(isNested).map(({ name }) => name),
    ],
  };
}

function isNested({ type }: Field): boolean {
  return type.kind === "list" || type.kind === "struct";
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
export function mixedKey(flush: FlushName, part = 0): string {
  const name = flushFile(flush);
  return `bronze_mixed/${flush.topic}/${part === 0 ? name : name.replace(".parquet", `-${part}.parquet`)}`;
}

/** Tells whether a bronze file, compacted or not, has rows of several dates. */
export function isMixed(key: string): boolean {
  return key.startsWith("bronze_mixed/");
}
