/**
 * A topic's events as JSON Schema (2020-12, https://json-schema.org/draft/2020-12), for editors and generators. It says what
 * the contract and the Avro schema say of single fields; rules over several fields and the time window have no words in it,
 * so what is valid here may still be refused by the gateway, while what is invalid here is always refused.
 */
import type { AvroRecord, AvroType, SchemaRelease } from "../../schemas/avro-schema.ts";
import { unwrapOptional } from "../../schemas/avro-schema.ts";
import type { Contract, FieldRule } from "../contract.ts";

export type JsonSchema = Readonly<Record<string, unknown>>;

const INT_MAX = 2_147_483_647;

/** The schema of one event; `id` is the address under which it is served. */
export function jsonSchemaOf(contract: Contract, release: SchemaRelease, id: string): JsonSchema {
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    $id: id,
    title: `${contract.topic} event, contract ${contract.version}, schema version ${release.version}`,
    description: contract.description,
    ...recordSchema(contract.fields, release.schema, contract.unknownFields === "keep"),
  };
}

function recordSchema(rules: readonly FieldRule[], record: AvroRecord, open: boolean): JsonSchema {
  const byName = new Map(rules.map((rule) => [rule.name, rule]));
  const properties: Record<string, JsonSchema> = {};
  const required: string[] = [];
  for (const field of record.fields) {
    const rule = byName.get(field.name);
    const { type, nullable } = unwrapOptional(field.type);
    if (!nullable) required.push(field.name);
    const schema = valueSchema(type, rule, open);
    properties[field.name] = {
      ...(field.doc === undefined ? {} : { description: field.doc }),
      ...(nullable ? orNull(schema) : schema),
      ...(rule?.examples === undefined ? {} : { examples: rule.examples }),
    };
  }
  return { type: "object", properties, required, additionalProperties: open };
}

function orNull(schema: JsonSchema): JsonSchema {
  const { type, enum: accepted } = schema;
  const types = Array.isArray(type) ? type : [type];
  return {
    ...schema,
    type: [...types, "null"],
    ...(Array.isArray(accepted) ? { enum: [...accepted, null] } : {}),
  };
}

function valueSchema(avro: AvroType, rule: FieldRule | undefined, open: boolean): JsonSchema {
  const { type } = unwrapOptional(avro);
  switch (type) {
    case "string":
      return { type: "string", ...textKeywords(rule) };
    case "boolean":
    case "null":
      return { type };
    case "int":
      return { type: "integer", minimum: -INT_MAX - 1, maximum: INT_MAX, ...numberKeywords(rule) };
    case "long":
      return { type: "integer", ...numberKeywords(rule) };
    case "double":
      return { type: "number", ...numberKeywords(rule) };
    case "bytes":
      return { type: "string" };
  }
  switch (type.type) {
    case "long":
      return { type: "string", format: "date-time" };
    case "int":
      return { type: "string", format: "date" };
    case "bytes":
      // Both forms are taken; the bounds speak of numbers only, the pattern of texts only.
      return { type: ["number", "string"], pattern: decimalPattern(type.scale), ...boundKeywords(rule) };
    case "record":
      return recordSchema(rule?.fields ?? [], type, open);
    case "array":
      return {
        type: "array",
        items: valueSchema(type.items, rule?.item, open),
        ...(rule?.minItems === undefined ? {} : { minItems: rule.minItems }),
        ...(rule?.maxItems === undefined ? {} : { maxItems: rule.maxItems }),
      };
  }
}

function decimalPattern(scale: number): string {
  return scale === 0 ? "^-?[0-9]+$" : `^-?[0-9]+(\\.[0-9]{1,${scale}}0*)?$`;
}

function textKeywords(rule: FieldRule | undefined): JsonSchema {
  return {
    ...(rule?.minLength === undefined ? {} : { minLength: rule.minLength }),
    ...(rule?.maxLength === undefined ? {} : { maxLength: rule.maxLength }),
    ...(rule?.pattern === undefined ? {} : { pattern: rule.pattern }),
    ...(rule?.accepted === undefined ? {} : { enum: rule.accepted }),
  };
}

function boundKeywords(rule: FieldRule | undefined): JsonSchema {
  return {
    ...(rule?.minimum === undefined ? {} : { minimum: rule.minimum }),
    ...(rule?.maximum === undefined ? {} : { maximum: rule.maximum }),
  };
}

function numberKeywords(rule: FieldRule | undefined): JsonSchema {
  return { ...boundKeywords(rule), ...(rule?.accepted === undefined ? {} : { enum: rule.accepted.map(Number) }) };
}
