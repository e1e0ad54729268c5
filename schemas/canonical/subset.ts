/** A schema from outside as one of ours (`avro-schema.ts`), so that the compatibility checker can judge it. */
import type { AvroField, AvroRecord, AvroType } from "../avro-schema.ts";
import type { PrimitiveNode, RecordNode, SchemaNode } from "./parse.ts";

/** Thrown for valid Avro that Sluice does not use: such a schema could not be released. */
export class UnsupportedSchema extends Error {
  override readonly name = "UnsupportedSchema";
}

/** The record. Throws UnsupportedSchema, naming the place and the construct. */
export function toAvroRecord(schema: SchemaNode): AvroRecord {
  if (schema.kind !== "record") throw new UnsupportedSchema("a topic's schema is a record");
  return recordOf(schema, "");
}

function recordOf(schema: RecordNode, path: string): AvroRecord {
  const dot = schema.name.lastIndexOf(".");
  return {
    type: "record",
    name: schema.name.slice(dot + 1),
    ...(dot < 0 ? {} : { namespace: schema.name.slice(0, dot) }),
    fields: schema.fields.map((field): AvroField => {
      const type = typeOf(field.type, path === "" ? field.name : `${path}.${field.name}`);
      return "default" in field ? { name: field.name, type, default: field.default } : { name: field.name, type };
    }),
  };
}

function typeOf(schema: SchemaNode, path: string): AvroType {
  switch (schema.kind) {
    case "primitive":
      return primitiveOf(schema, path);
    case "record":
      return recordOf(schema, path);
    case "array":
      return { type: "array", items: typeOf(schema.values, path) };
    case "union": {
      const [first, second, ...more] = schema.branches.map((branch) => typeOf(branch, path));
      if (first === undefined || second === undefined || more.length > 0 || (first !== "null" && second !== "null"))
        throw new UnsupportedSchema(`${path}: the only unions are ["null", T] and [T, "null"]`);
      return [first, second];
    }
    case "reference":
      throw new UnsupportedSchema(`${path}: write the type ${schema.name} out; references are not supported`);
    case "fixed":
    case "enum":
    case "map":
      throw new UnsupportedSchema(`${path}: the Avro type ${schema.kind} is not supported`);
  }
}

// A logical type that is not known is ignored, as the specification demands ("Logical Types").
function primitiveOf({ type, logical }: PrimitiveNode, path: string): AvroType {
  if (type === "float") throw new UnsupportedSchema(`${path}: float is not supported, use double`);
  if (logical === null) return type;
  const { logicalType, precision, scale = 0 } = logical;
  if (type === "long" && logicalType === "timestamp-micros") return { type, logicalType };
  if (type === "int" && logicalType === "date") return { type, logicalType };
  if (type === "bytes" && logicalType === "decimal" && precision !== undefined)
    return { type, logicalType, precision, scale };
  return type;
}
