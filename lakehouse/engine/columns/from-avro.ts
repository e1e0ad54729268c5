/** The column type of an Avro type: how an event's fields stand in bronze and silver. */
import { type AvroRecord, type AvroType, unwrapOptional } from "../../../schemas/avro-schema.ts";
import { unscaledFromBytes } from "../../../schemas/decimal.ts";
import type { ColumnType, Field } from "./column.ts";
import { decimalText, type Value } from "./value.ts";

/** The columns of a record, in its order. */
export function fieldsFromAvro(record: AvroRecord): Field[] {
  return record.fields.map((field) => ({
    name: field.name,
    ...columnOf(field.type),
    ...(field.default === undefined || field.default === null
      ? {}
      : { initialDefault: defaultOf(field.type, field.default) }),
  }));
}

function columnOf(avro: AvroType): { type: ColumnType; nullable: boolean } {
  const { type, nullable } = unwrapOptional(avro);
  return { type: columnTypeOf(type), nullable };
}

function columnTypeOf(avro: Exclude<AvroType, readonly [AvroType, AvroType]>): ColumnType {
  switch (avro) {
    case "boolean":
      return { kind: "bool" };
    case "int":
      return { kind: "int32" };
    case "long":
      return { kind: "int64" };
    case "double":
      return { kind: "float64" };
    case "string":
      return { kind: "utf8" };
    case "bytes":
      return { kind: "binary" };
    case "null":
      throw new Error("a column of nulls only has no type");
  }
  switch (avro.type) {
    case "long":
      return { kind: "timestamp" };
    case "int":
      return { kind: "date" };
    case "bytes":
      return { kind: "decimal", precision: avro.precision, scale: avro.scale };
    case "array":
      return { kind: "list", item: { name: "item", ...columnOf(avro.items) } };
    case "record":
      return { kind: "struct", fields: fieldsFromAvro(avro) };
  }
}

/** A default of the schema (specification 1.12, record defaults: bytes are texts of U+0000 to U+00FF) as a column's value. Throws TypeError for one that is no value of its type; the build has refused those. */
function defaultOf(avro: AvroType, value: unknown): Value {
  const { type } = unwrapOptional(avro);
  if (value === null) return null;
  if (typeof type === "string") {
    if (type === "long" && typeof value === "number") return BigInt(value);
    if (type === "bytes" && typeof value === "string") return bytesOf(value);
    if (typeof value === "boolean" || typeof value === "number" || typeof value === "string") return value;
  } else if (type.type === "record" && typeof value === "object") {
    const members = new Map<string, unknown>(Object.entries(value));
    return Object.fromEntries(
      type.fields.map((field) => [
        field.name,
        defaultOf(field.type, members.has(field.name) ? members.get(field.name) : (field.default ?? null)),
      ]),
    );
  } else if (type.type === "array" && Array.isArray(value)) {
    return value.map((item) => defaultOf(type.items, item));
  } else if (type.type === "bytes" && typeof value === "string") {
    return decimalText(unscaledFromBytes(bytesOf(value)), type.scale);
  } else if (typeof value === "number") {
    return type.type === "long" ? BigInt(value) : value;
  }
  throw new TypeError(`${JSON.stringify(value)} is no default of ${JSON.stringify(avro)}`);
}

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
