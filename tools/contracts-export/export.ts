/**
 * A topic's contract as a description of its silver table for tools that know the Open Data Contract Standard, Parquet, and nothing of
 * Sluice. Pure. What such a tool would run is what holds for every published row; the rest stands there as text that it skips.
 */
import type { Contract } from "../../contracts/contract.ts";
import { eventSchema } from "../../lakehouse/bronze/table.ts";
import type { ColumnType, Field } from "../../lakehouse/engine/columns/column.ts";
import { irTypeOf, sqlName } from "../../lakehouse/engine/ir/ir-types.ts";
import { silverFields } from "../../lakehouse/tables/silver-columns.ts";
import { maskingOf } from "../build/contracts/masking.ts";
import type { Odcs, OdcsItem, OdcsProperty } from "../build/contracts/odcs.ts";
import type { OdcsQualityEntry } from "../build/contracts/odcs-quality.ts";

/** `data`: a path or pattern of the table's Parquet files. */
export function exportContract(document: Odcs, contract: Contract, data: string): Record<string, unknown> {
  const columns = silverFields(contract, eventSchema(contract));
  const [table] = document.schema;
  const { column: partition } = contract.partition;
  const keys = table.properties.filter(({ primaryKey }) => primaryKey === true).map(({ name }) => name);
  const properties = table.properties.map((property) => exportProperty(property, typeOf(columns, property.name)));
  return {
    ...document,
    servers: [{ server: "local", type: "local", path: data, format: "parquet" }],
    schema: [
      {
        ...table,
        physicalType: "table",
        properties: [...properties, partitionProperty(partition, keys.length)],
        quality: table.quality?.map((entry) => exportCheck(entry, { partition, keys })),
      },
    ],
    // Without the column that they are about: what Sluice promises of bronze, a tool would measure in silver's times.
    slaProperties: document.slaProperties?.map(({ element: _, ...level }) => level),
  };
}

/** A key is there once in each partition; with the partition's column it is there once. */
function partitionProperty(name: string, keys: number): Record<string, unknown> {
  return {
    name,
    logicalType: "date",
    physicalType: "DATE",
    required: true,
    partitioned: true,
    partitionKeyPosition: 1,
    ...(keys === 0 ? {} : { primaryKey: true, primaryKeyPosition: keys + 1 }),
  };
}

function exportProperty(property: OdcsProperty, type: ColumnType | undefined): Record<string, unknown> {
  const { partitioned: _, partitionKeyPosition: __, items, ...rest } = property;
  return { ...exportValue(rest, items, type), name: property.name };
}

/** Lists and structs have no physical type: it is that of what they hold. */
function exportValue(
  value: OdcsItem,
  items: OdcsItem | undefined,
  type: ColumnType | undefined,
): Record<string, unknown> {
  const scalar = type !== undefined && type.kind !== "list" && type.kind !== "struct";
  return {
    ...value,
    ...(scalar ? { physicalType: physicalType(type) } : {}),
    ...(maskingOf(value) !== undefined
      ? MASKED
      : { quality: value.quality?.map((entry) => exportCheck(entry, undefined)) }),
    ...(items === undefined
      ? {}
      : { items: exportValue(items, undefined, type?.kind === "list" ? type.item.type : undefined) }),
    ...(value.properties === undefined
      ? {}
      : {
          properties: value.properties.map((child) =>
            exportProperty(child, type?.kind === "struct" ? typeOf(type.fields, child.name) : undefined),
          ),
        }),
  };
}

/** As SQL says it, save for times with a zone, whose name has a form of its own in every product. */
function physicalType(type: ColumnType): string {
  return type.kind === "timestamp" ? "TIMESTAMP_TZ" : sqlName(irTypeOf(type));
}

/** What the producer's values must be says nothing of what is stored for them. */
const MASKED = { logicalTypeOptions: undefined, quality: undefined, examples: undefined };

function typeOf(fields: readonly Field[], name: string): ColumnType | undefined {
  return fields.find((field) => field.name === name)?.type;
}

/**
 * A check of silver that keeps rows from being published, as it is; a duplicate is one within a partition. Every other check of Sluice
 * as one for an engine of that name: other layers' tables are not this one, a check that only warns may fail, and that keys are there
 * once is said by `primaryKey` (datacontract-cli drops all but one check for duplicates of a table).
 */
function exportCheck(entry: OdcsQualityEntry, table: TableKeys | undefined): Record<string, unknown> {
  if (!("metric" in entry) && !("query" in entry)) return entry;
  const custom = new Map((entry.customProperties ?? []).map(({ property, value }) => [property, value]));
  const published = (custom.get("layer") ?? "silver") === "silver" && (custom.get("onFail") ?? "block") !== "warn";
  const columns = "metric" in entry && entry.metric === "duplicateValues" ? entry.arguments?.properties : undefined;
  const isKey = columns !== undefined && table !== undefined && sameNames(columns, table.keys);
  if (!published || isKey) {
    const { name, description, dimension, customProperties } = entry;
    return {
      type: "custom",
      engine: "sluice",
      name,
      description,
      dimension,
      implementation: JSON.stringify(entry),
      customProperties,
    };
  }
  if (!("metric" in entry) || columns === undefined || table === undefined) return entry;
  return { ...entry, arguments: { ...entry.arguments, properties: [...columns, table.partition] } };
}

/** Of a check that stands under the table. */
interface TableKeys {
  readonly partition: string;
  readonly keys: readonly string[];
}

function sameNames(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name) => b.includes(name));
}
