/** Whether the defaults in a schema are values of their fields (specification 1.12, "Complex Types", record defaults). */
import { type AvroRecord, type AvroType, unwrapOptional } from "../avro-schema.ts";
import type { SchemaPath } from "./can-read.ts";

export interface DefaultProblem {
  readonly path: SchemaPath;
  readonly message: string;
}

/** Every field whose default is not a value of its type, nested ones included. An optional field's default is null. */
export function defaultProblems(record: AvroRecord, path: SchemaPath = []): DefaultProblem[] {
  return record.fields.flatMap((field, index) => {
    const at = [...path, "fields", index];
    const { type, nullable } = unwrapOptional(field.type);
    const own: DefaultProblem[] = [];
    if (nullable && field.default !== null) {
      const message = `field "${field.name}" is optional: its default must be null, or an absent value would turn into another`;
      own.push({ path: at, message });
    } else if (!nullable && field.default !== undefined && !isValue(field.default, type)) {
      const message = `field "${field.name}" has the default ${JSON.stringify(field.default)}, which is no value of its type`;
      own.push({ path: [...at, "default"], message });
    }
    const typePath = [...at, "type", ...(Array.isArray(field.type) ? [field.type.indexOf(type)] : [])];
    return [...own, ...nested(type, typePath)];
  });
}

function nested(type: AvroType, path: SchemaPath): DefaultProblem[] {
  const { type: plain } = unwrapOptional(type);
  if (typeof plain === "string") return [];
  if (plain.type === "record") return defaultProblems(plain, path);
  return plain.type === "array" ? nested(plain.items, [...path, "items"]) : [];
}

const INT_MAX = 2_147_483_647;

function isValue(value: unknown, type: AvroType): boolean {
  const { type: plain, nullable } = unwrapOptional(type);
  if (value === null) return nullable || plain === "null";
  if (typeof plain === "string") {
    switch (plain) {
      case "null":
        return false;
      case "boolean":
        return typeof value === "boolean";
      case "int":
        return isInt(value);
      case "long":
        return Number.isSafeInteger(value);
      case "double":
        return typeof value === "number";
      case "string":
        return typeof value === "string" && value.isWellFormed();
      case "bytes":
        return isByteText(value);
    }
  }
  switch (plain.type) {
    case "int":
      return isInt(value);
    case "long":
      return Number.isSafeInteger(value);
    case "bytes":
      return isByteText(value) && value.length > 0;
    case "array":
      return Array.isArray(value) && value.every((item) => isValue(item, plain.items));
    case "record": {
      if (typeof value !== "object" || Array.isArray(value)) return false;
      const members = new Map<string, unknown>(Object.entries(value));
      return plain.fields.every((field) =>
        isValue(members.has(field.name) ? members.get(field.name) : field.default, field.type),
      );
    }
  }
}

function isInt(value: unknown): boolean {
  return typeof value === "number" && Number.isInteger(value) && value >= -INT_MAX - 1 && value <= INT_MAX;
}

// Bytes, and so decimals, have a text as their default: a character U+0000 to U+00FF per byte.
function isByteText(value: unknown): value is string {
  return (
    typeof value === "string" &&
    [...value].every((character) => character.charCodeAt(0) <= 0xff && character.length === 1)
  );
}
