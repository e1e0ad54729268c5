/**
 * A valid event of a topic, made from its contract and schema alone: what `/v1/contracts/{topic}/example` answers. A field's
 * ODCS `examples` come first, since only a person knows values that satisfy a rule over several fields; optional fields
 * without examples are left out.
 */
import type { AvroRecord, AvroType, SchemaRelease } from "../../schemas/avro-schema.ts";
import { unwrapOptional } from "../../schemas/avro-schema.ts";
import { formatDate, formatTimestamp } from "../../schemas/time.ts";
import type { Contract, FieldRule } from "../contract.ts";
import { exampleText } from "../patterns/example-text.ts";

export interface ExampleOptions {
  /** Milliseconds since the epoch: the event's times, so that the contract's window takes them. */
  readonly now: number;
  /** The event's id, if the field that identifies it is free text; a UUID fits every contract so far. */
  readonly id: string;
}

const DAY_MS = 86_400_000;

/** A field for which no value was found: the contract must give it `examples`. */
export class NoExample extends Error {
  override readonly name = "NoExample";
  /** Names from the event down. */
  readonly path: readonly string[];

  constructor(path: readonly string[], reason: string) {
    super(`${path.join(".")}: ${reason}`);
    this.path = path;
  }
}

/** The event, at the time `now`. Throws NoExample. */
export function exampleEvent(
  contract: Contract,
  release: SchemaRelease,
  options: ExampleOptions,
): Record<string, unknown> {
  const idField = contract.dedupeKey[0];
  const event = recordOf(contract.fields, release.schema, [], options);
  // An example of a time grows old, and the contract's window would not take it any more.
  if (contract.eventTimeWindow !== null) event[contract.eventTime] = formatTimestamp(options.now * 1_000);
  const rule = contract.fields.find((field) => field.name === idField);
  if (idField !== undefined && rule?.kind === "string" && isFreeText(rule, options.id)) event[idField] = options.id;
  // A schema_version in the event decides by which schema it is judged.
  if (event["schema_version"] !== undefined) event["schema_version"] = release.version;
  return event;
}

function isFreeText(rule: FieldRule, text: string): boolean {
  return (
    rule.examples === undefined &&
    rule.accepted === undefined &&
    rule.pattern === undefined &&
    text.length <= (rule.maxLength ?? text.length) &&
    text.length >= (rule.minLength ?? 0)
  );
}

function recordOf(
  rules: readonly FieldRule[],
  record: AvroRecord,
  path: readonly string[],
  options: ExampleOptions,
): Record<string, unknown> {
  const byName = new Map(rules.map((rule) => [rule.name, rule]));
  const event: Record<string, unknown> = {};
  for (const field of record.fields) {
    const rule = byName.get(field.name);
    const { type, nullable } = unwrapOptional(field.type);
    if (nullable && rule?.examples === undefined) continue;
    event[field.name] = exampleValue(type, rule, [...path, field.name], options);
  }
  return event;
}

function exampleValue(
  avro: AvroType,
  rule: FieldRule | undefined,
  path: readonly string[],
  options: ExampleOptions,
): unknown {
  const [given] = rule?.examples ?? [];
  if (given !== undefined) return given;
  const { type } = unwrapOptional(avro);
  const [accepted] = rule?.accepted ?? [];
  switch (type) {
    case "string":
      return textOf(rule, path);
    case "boolean":
      return accepted === "true";
    case "int":
    case "long":
    case "double":
      return numberOf(rule);
    case "null":
    case "bytes":
      throw new NoExample(path, `a value of Avro type ${type} has no example`);
  }
  switch (type.type) {
    case "long":
      return accepted ?? formatTimestamp(options.now * 1_000);
    case "int":
      return accepted ?? formatDate(Math.floor(options.now / DAY_MS));
    case "bytes":
      return numberOf(rule);
    case "record":
      return recordOf(rule?.fields ?? [], type, path, options);
    case "array": {
      const count = Math.min(Math.max(rule?.minItems ?? 0, 1), rule?.maxItems ?? 1);
      return Array.from({ length: count }, () => exampleValue(type.items, rule?.item, path, options));
    }
  }
}

/** An accepted value; else 1 where the bounds allow it, else the bound that is nearest. */
function numberOf(rule: FieldRule | undefined): number {
  const [accepted] = rule?.accepted ?? [];
  if (accepted !== undefined) return Number(accepted);
  const least = rule?.minimum ?? Number.NEGATIVE_INFINITY;
  const most = rule?.maximum ?? Number.POSITIVE_INFINITY;
  return Math.min(Math.max(1, least), most);
}

function textOf(rule: FieldRule | undefined, path: readonly string[]): string {
  const [accepted] = rule?.accepted ?? [];
  if (accepted !== undefined) return accepted;
  const minLength = rule?.minLength ?? 0;
  const maxLength = rule?.maxLength ?? Number.POSITIVE_INFINITY;
  if (rule?.pattern === undefined) {
    const name = path.at(-1) ?? "";
    return name.padEnd(minLength, "x").slice(0, maxLength);
  }
  const text = exampleText(rule.pattern, { minLength, maxLength });
  if (text === undefined) throw new NoExample(path, `no text was found for ${rule.pattern}: give the field "examples"`);
  return text;
}
