/** Where a contract and the Avro schema it describes say different things about a field. */
import type { Contract, FieldKind, FieldRule } from "../../../contracts/contract.ts";
import {
  type AvroField,
  type AvroRecord,
  type AvroType,
  type SchemaRelease,
  unwrapOptional,
} from "../../../schemas/avro-schema.ts";
import { tableSchema } from "../../../schemas/compatibility/table-schema.ts";

export interface Difference {
  /** Path under the contract's `properties`, for the line in the YAML. */
  readonly path: readonly PropertyKey[];
  readonly message: string;
  /** The schema version that differs. */
  readonly version: number;
}

type Finding = Omit<Difference, "version">;

/**
 * Where the contract differs from the versions of its schema, oldest first. What the contract says holds for the newest
 * version and what it dropped; an older one may lack a field, and have it optional or required where the newest has not:
 * how far versions may differ among themselves is for the compatibility check. The keys and the event time stand in all.
 */
export function compareWithAvro(contract: Contract, versions: readonly SchemaRelease[]): Difference[] {
  if (versions.length === 0) return [];
  const known = tableSchema(versions.map((release) => release.schema)).schema;
  return versions.flatMap((release, index) => {
    const side: Side = index === versions.length - 1 ? { newest: true, known } : { newest: false, known };
    const found = compareFields(contract.fields, release.schema, [], side);
    return [...found, ...missingKeys(contract, release.schema)].map((each) => ({ ...each, version: release.version }));
  });
}

/** The contract's fields, each `required` only if every version that producers may send has it so: what a rule can rely on. */
export function inEveryVersion(
  contract: Pick<Contract, "schemas" | "fields">,
  releases: readonly SchemaRelease[],
): readonly FieldRule[] {
  const live = contract.schemas.filter(({ retired }) => retired !== true);
  const versions = live.flatMap(({ id }) => releases.filter((release) => release.id === id));
  return versions.reduce<readonly FieldRule[]>((fields, { schema }) => weaken(fields, schema), contract.fields);
}

function weaken(rules: readonly FieldRule[], record: AvroRecord): FieldRule[] {
  return rules.map((rule) => {
    const field = record.fields.find(({ name }) => name === rule.name);
    if (field === undefined) return { ...rule, required: false };
    const { type, nullable } = unwrapOptional(field.type);
    const required = rule.required && !nullable;
    if (typeof type === "object" && type.type === "record" && rule.fields !== undefined)
      return { ...rule, required, fields: weaken(rule.fields, type) };
    const item = typeof type === "object" && type.type === "array" ? unwrapOptional(type.items).type : undefined;
    if (typeof item === "object" && item.type === "record" && rule.item?.fields !== undefined)
      return { ...rule, required, item: { ...rule.item, fields: weaken(rule.item.fields, item) } };
    return { ...rule, required };
  });
}

function missingKeys(contract: Contract, record: AvroRecord): Finding[] {
  const names = new Set([...contract.dedupeKey, ...contract.shardKey, contract.eventTime]);
  return [...names].flatMap((name) => {
    const index = contract.fields.findIndex((field) => field.name === name);
    const field = record.fields.find((candidate) => candidate.name === name);
    if (index < 0 || (field !== undefined && !unwrapOptional(field.type).nullable)) return [];
    return [
      { path: [index], message: `"${name}" is a key or the event time: every version must have it, not optional` },
    ];
  });
}

interface Side {
  readonly newest: boolean;
  /** Everything that any version has at this place. */
  readonly known: AvroRecord | undefined;
}

function compareFields(
  rules: readonly FieldRule[],
  record: AvroRecord,
  path: readonly PropertyKey[],
  side: Side,
): Finding[] {
  const differences: Finding[] = [];
  const fields = new Map(record.fields.map((field) => [field.name, field]));
  rules.forEach((rule, index) => {
    const field = fields.get(rule.name);
    if (field !== undefined) {
      differences.push(...compareField(rule, field, [...path, index], side));
    } else if (side.newest && rule.required) {
      differences.push({ path: [...path, index], message: `required field "${rule.name}" is not in the Avro schema` });
    } else if (side.newest && side.known?.fields.some(({ name }) => name === rule.name) === false) {
      const message = `field "${rule.name}" is in no version of the Avro schema: release one that has it, or remove it here`;
      differences.push({ path: [...path, index], message });
    }
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

function compareField(rule: FieldRule, field: AvroField, path: readonly PropertyKey[], side: Side): Finding[] {
  const { type, nullable } = unwrapOptional(field.type);
  const differences: Finding[] = [];
  if (side.newest && rule.required === nullable) {
    differences.push({
      path,
      message: rule.required
        ? `"${rule.name}" is required in the contract but may be null in the Avro schema`
        : `"${rule.name}" is optional in the contract but not in the Avro schema: make it ["null", ...] there or required: true here`,
    });
  }
  const known = side.known?.fields.find(({ name }) => name === field.name)?.type;
  return [...differences, ...compareValue(rule, type, path, { newest: side.newest, known: recordIn(known) })];
}

function recordIn(type: AvroType | undefined): AvroRecord | undefined {
  if (type === undefined) return undefined;
  const { type: plain } = unwrapOptional(type);
  if (typeof plain === "string") return undefined;
  if (plain.type === "array") return recordIn(plain.items);
  return plain.type === "record" ? plain : undefined;
}

function compareValue(rule: FieldRule, type: AvroType, path: readonly PropertyKey[], side: Side): Finding[] {
  const kind = kindOf(unwrapOptional(type).type);
  if (kind !== rule.kind && !(rule.kind === "number" && kind === "integer")) {
    return [{ path, message: `"${rule.name}" is ${rule.kind} in the contract but ${kind} in the Avro schema` }];
  }
  const inner = unwrapOptional(type).type;
  if (typeof inner === "object" && inner.type === "array") {
    const item = unwrapOptional(inner.items).type;
    if (rule.item === undefined) {
      if (typeof item === "string" || item.type !== "record") return [];
      return [{ path, message: `"${rule.name}" is a list of records that the contract does not describe: add items` }];
    }
    if (typeof item === "object" && item.type === "record") {
      return compareFields(rule.item.fields ?? [], item, [...path, "items", "properties"], side);
    }
    return compareValue(rule.item, inner.items, [...path, "items"], side);
  }
  if (typeof inner === "object" && inner.type === "record")
    return compareFields(rule.fields ?? [], inner, [...path, "properties"], side);
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
