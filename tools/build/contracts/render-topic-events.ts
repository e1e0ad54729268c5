/** Contracts and their current schemas to the TypeScript types of the client SDK. */
import type { Contract, FieldRule } from "../../../contracts/contract.ts";
import { type AvroRecord, type AvroType, type SchemaRelease, unwrapOptional } from "../../../schemas/avro-schema.ts";
import { UUID_PATTERN } from "./formats.ts";

/**
 * The module `producers/client/topic-events.generated.ts`: `TopicEvents`, one interface per topic that producers may post to,
 * and `EVENT_ID_FIELDS`, the field of each topic that takes a UUID when it is absent. It imports nothing.
 */
export function renderTopicEvents(contracts: readonly Contract[], releases: readonly SchemaRelease[]): string {
  const topics = contracts
    .filter(({ platformOnly }) => !platformOnly)
    .map((contract) => ({
      contract,
      id: eventIdField(contract),
      schema: releases.find(({ id }) => id === contract.schemas.at(-1)?.id)?.schema,
    }));
  const interfaces = topics.map(
    ({ contract, id, schema }) =>
      `${comment(contract.description, "")}export interface ${typeName(contract.topic)} ${fields(contract.fields, schema, id, "")}\n`,
  );
  const entries = topics.map(({ contract }) => `  readonly ${key(contract.topic)}: ${typeName(contract.topic)};\n`);
  const ids = topics.flatMap(({ contract, id }) =>
    id === undefined ? [] : [`  ${key(contract.topic)}: ${JSON.stringify(id)},\n`],
  );
  return [
    "/** The event of each topic. Times may be Dates: JSON.stringify writes them as the gateway reads them. */\n",
    `export interface TopicEvents {\n${entries.join("")}}\n\n`,
    ...interfaces.map((text) => `${text}\n`),
    "/** Where the client sets a UUID if the event has no id. */\n",
    `export const EVENT_ID_FIELDS: Readonly<Partial<Record<keyof TopicEvents, string>>> = {\n${ids.join("")}};\n`,
  ].join("");
}

// A key of several fields identifies something of the producer's; so does one that a UUID's 36 characters would not fit.
function eventIdField(contract: Contract): string | undefined {
  const [name, ...others] = contract.dedupeKey;
  const field = contract.fields.find((candidate) => candidate.name === name);
  if (field === undefined || others.length > 0 || field.kind !== "string") return undefined;
  if (field.accepted !== undefined || (field.pattern !== undefined && field.pattern !== UUID_PATTERN)) return undefined;
  return (field.minLength ?? 0) <= 36 && (field.maxLength ?? 36) >= 36 ? name : undefined;
}

function fields(
  rules: readonly FieldRule[],
  record: AvroRecord | undefined,
  id: string | undefined,
  indent: string,
): string {
  const lines = rules.map((rule) => {
    const field = record?.fields.find(({ name }) => name === rule.name);
    const optional = !rule.required || rule.name === id;
    const type = `${typeOf(rule, field?.type, `${indent}  `)}${rule.required ? "" : " | null"}`;
    return `${comment(field?.doc ?? "", `${indent}  `)}${indent}  readonly ${key(rule.name)}${optional ? "?" : ""}: ${type};\n`;
  });
  return `{\n${lines.join("")}${indent}}`;
}

function typeOf(rule: FieldRule, avro: AvroType | undefined, indent: string): string {
  const type = avro === undefined ? undefined : unwrapOptional(avro).type;
  const shape = typeof type === "object" ? type : undefined;
  switch (rule.kind) {
    case "string":
      return rule.accepted === undefined ? "string" : rule.accepted.map((value) => JSON.stringify(value)).join(" | ");
    case "integer":
      // A long may have more digits than a double keeps.
      return type === "long" ? "number | bigint" : "number";
    case "number":
      // A decimal with more digits than a double keeps is sent as text.
      return shape !== undefined && "logicalType" in shape && shape.logicalType === "decimal"
        ? "number | string"
        : "number";
    case "boolean":
      return "boolean";
    case "timestamp":
      return "string | Date";
    case "date":
      return "string";
    case "array": {
      const items = shape?.type === "array" ? shape.items : undefined;
      return rule.item === undefined ? "readonly unknown[]" : `readonly (${typeOf(rule.item, items, indent)})[]`;
    }
    case "object":
      return rule.fields === undefined
        ? "Readonly<Record<string, unknown>>"
        : fields(rule.fields, shape?.type === "record" ? shape : undefined, undefined, indent);
  }
}

function typeName(topic: string): string {
  const words = topic.split(/[^A-Za-z0-9]+/).filter((word) => word !== "");
  return `${words
    .map((word) => `${word.charAt(0).toUpperCase()}${word.slice(1)}`)
    .join("")
    .replace(/Events?$/, "")}Event`;
}

function key(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
}

function comment(text: string, indent: string): string {
  const line = text.replaceAll("*/", "*\\/").replace(/\s+/g, " ").trim();
  return line === "" ? "" : `${indent}/** ${line} */\n`;
}
