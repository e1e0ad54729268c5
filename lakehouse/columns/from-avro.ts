/** The column type of an Avro type: how an event's fields stand in bronze and silver. */
import { type AvroRecord, type AvroType, unwrapOptional } from "../../schemas/avro-schema.ts";
import type { ColumnType, Field } from "./column.ts";

/** The columns of a record, in its order. */
export function fieldsFromAvro(record: AvroRecord): Field[] {
  return record.fields.map((field) => ({ name: field.name, ...columnOf(field.type) }));
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
