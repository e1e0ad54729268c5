/** Where a contract and the Avro schema it describes say different things about a field. */
import type { Contract, FieldKind, FieldRule } from "../../../contracts/contract.ts";
import {
  type AvroField,
  type AvroRecord,
  type AvroType,
  type SchemaRelease,
  unwrapOptional,
} from "../../../schemas/avro-schema.ts";

export interface Difference {
  /** Path under the contract's `properties`, for the line in the YAML. */
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

export function compareWithAvro(contract: Contract, release: SchemaRelease): Difference[] {
  return compareFields(contract.fields, release.schema, []);
}

function compareFields(rules: readonly FieldRule[], record: AvroRecord, path: readonly PropertyKey[]): Difference[] {
  const differences: Difference[] = [];
  const fields = new Map(record.fields.map((field) => [field.name, field]));
  rules.forEach((rule, index) => {
    const field = fields.get(rule.name);
    if (field === undefined) {
      // A field that a later schema version added is absent from the earlier ones; only a required one must be everywhere.
      if (rule.required)
        differences.push({
          path: [...path, index],
          message: `required field "${rule.name}" is not in the Avro schema`,
        });
      return;
    }
    differences.push(...compareField(rule, field, [...path, index]));
  });
  const named = new Set(rules.map((rule) => rule.name));
  for (const field of record.fields) {
    if (!named.has(field.name)) {
      differences.push({
        path,
        message: `the Avro schema has a field "${field.name}" that the contract does not describe; add it to properties`,
      });
    }
  }
  return differences;
}

function compareField(rule: FieldRule, field: AvroField, path: readonly PropertyKey[]): Difference[] {
  const { type, nullable } = unwrapOptional(field.type);
  const differences: Difference[] = [];
  if (rule.required === nullable) {
    differences.push({
      path,
      message: rule.required
        ? `"${rule.name}" is required in the contract but may be null in the Avro schema`
        : `"${rule.name}" is optional in the contract but not in the Avro schema: make it ["null", ...] there or required: true here`,
    });
  }
  return [...differences, ...compareValue(rule, type, path)];
}

function compareValue(rule: FieldRule, type: AvroType, path: readonly PropertyKey[]): Difference[] {
  const kind = kindOf(unwrapOptional(type).type);
  if (kind !== rule.kind && !(rule.kind === "number" && kind === "integer")) {
    return [{ path, message: `"${rule.name}" is ${rule.kind} in the contract but ${kind} in the Avro schema` }];
  }
  const inner = unwrapOptional(type).type;
  if (typeof inner === "object" && inner.type === "array" && rule.item !== undefined) {
    const item = unwrapOptional(inner.items).type;
    if (typeof item === "object" && item.type === "record") {
      return compareFields(rule.item.fields ?? [], item, [...path, "items", "properties"]);
    }
    return compareValue(rule.item, inner.items, [...path, "items"]);
  }
  if (typeof inner === "object" && inner.type === "record")
    return compareFields(rule.fields ?? [], inner, [...path, "properties"]);
  return [];
}

function kindOf(type: AvroType): FieldKind {
  if (typeof type === "string") {
    switch (type) {
      case "boolean":
        return "boolean";
      case "int":
      case "long":
        return "integer";
      case "double":
        return "number";
      default:
        return "string";
    }
  }
  const { type: inner } = unwrapOptional(type);
  if (typeof inner === "string") return kindOf(inner);
  switch (inner.type) {
    case "record":
      return "object";
    case "array":
      return "array";
    case "bytes":
      return "number";
    case "int":
      return "date";
    case "long":
      return "timestamp";
  }
}
