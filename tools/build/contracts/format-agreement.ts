/** Formats of a contract held against the types of its schema. */
import { type AvroRecord, type AvroType, unwrapOptional } from "../../../schemas/avro-schema.ts";
import type { OdcsItem, OdcsProperty } from "./odcs.ts";

type Found = { readonly path: readonly PropertyKey[]; readonly message: string };

/** Formats that are wider than the type of the newest schema, whose values would be refused. */
export function formatsAgainstSchema(
  properties: readonly OdcsProperty[],
  record: AvroRecord,
  at: readonly PropertyKey[] = [],
): Found[] {
  return properties.flatMap((property, index) => {
    const field = record.fields.find(({ name }) => name === property.name);
    return field === undefined ? [] : ofValue(property, field.type, [...at, index]);
  });
}

function ofValue(property: OdcsProperty | OdcsItem, avro: AvroType, path: readonly PropertyKey[]): Found[] {
  const { type } = unwrapOptional(avro);
  const format = property.logicalTypeOptions?.format;
  if (type === "int" && (format === "i64" || format === "u32"))
    return [{ path, message: `format ${format} needs "long" in the Avro schema, which has "int": say i32 or less` }];
  if (typeof type === "string") return [];
  if (type.type === "bytes" && format === "f64")
    return [{ path, message: "format f64 is a double, and the Avro schema has a decimal: leave format out" }];
  if (type.type === "record") return formatsAgainstSchema(property.properties ?? [], type, [...path, "properties"]);
  if (type.type === "array" && "items" in property && property.items !== undefined)
    return ofValue(property.items, type.items, [...path, "items"]);
  return [];
}
