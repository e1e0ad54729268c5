/**
 * A contract's examples, accepted values, bounds and rules held against each other, by admission itself: an example that the
 * gateway would refuse misleads whoever copies it, and `/v1/contracts/{topic}/example` would answer it.
 */
import type { Contract, FieldRule } from "../../../contracts/contract.ts";
import { exampleEvent, NoExample } from "../../../contracts/documents/example-event.ts";
import type { EventError } from "../../../contracts/verdict.ts";
import { createAdmitter } from "../../../gateway/admit/admitter.ts";
import { type AvroRecord, type AvroType, type SchemaRelease, unwrapOptional } from "../../../schemas/avro-schema.ts";
import type { SchemaCodec } from "../../../schemas/codecs.ts";
import { createEventBuffer } from "../../../schemas/event-buffer.ts";
import { parseExactJson } from "../../../schemas/exact-json.ts";

/** A place under the contract's `properties`, or a rule. */
export type ExampleProblem =
  | { readonly path: readonly PropertyKey[]; readonly message: string }
  | { readonly rule: string; readonly message: string };

/** Any moment: an example event has times of when it is asked for. */
const NOW = Date.UTC(2026, 0, 1, 12);

/** What the newest version's admission would refuse, by field; by rule once the fields are as they should be. */
export function exampleProblems(contract: Contract, release: SchemaRelease): ExampleProblem[] {
  // Masking changes how a value is stored, not whether it is taken.
  const clear = { ...contract, fields: contract.fields.map(withoutMasking) };
  const values = clear.fields.flatMap((rule, index) => {
    const field = release.schema.fields.find(({ name }) => name === rule.name);
    return field === undefined ? [] : ofValue(clear, rule, field.type, [index]);
  });
  return values.length > 0 ? values : ofEvent(clear, release);
}

function withoutMasking({ masking: _, item, fields, ...rule }: FieldRule): FieldRule {
  return {
    ...rule,
    ...(item === undefined ? {} : { item: withoutMasking(item) }),
    ...(fields === undefined ? {} : { fields: fields.map(withoutMasking) }),
  };
}

function ofValue(contract: Contract, rule: FieldRule, avro: AvroType, path: readonly PropertyKey[]): ExampleProblem[] {
  const { type } = unwrapOptional(avro);
  const found: ExampleProblem[] = [];
  const judge = judgeOfValue(contract, rule, type);
  for (const [index, example] of (rule.examples ?? []).entries()) {
    if (example === null && !rule.required) continue;
    const problem = judge(example);
    if (problem !== undefined) found.push({ path: [...path, "examples", index], message: `the example is ${problem}` });
  }
  for (const text of rule.accepted ?? []) {
    const problem = judge(jsonOf(rule, text));
    if (problem !== undefined)
      found.push({ path: [...path, "quality"], message: `the valid value ${JSON.stringify(text)} is ${problem}` });
  }
  if (typeof type === "string") return found;
  if (type.type === "record")
    return [...found, ...ofFields(contract, rule.fields ?? [], type, [...path, "properties"])];
  if (type.type === "array" && rule.item !== undefined)
    return [...found, ...ofValue(contract, rule.item, type.items, [...path, "items"])];
  return found;
}

function ofFields(
  contract: Contract,
  rules: readonly FieldRule[],
  record: AvroRecord,
  path: readonly PropertyKey[],
): ExampleProblem[] {
  return rules.flatMap((rule, index) => {
    const field = record.fields.find(({ name }) => name === rule.name);
    return field === undefined ? [] : ofValue(contract, rule, field.type, [...path, index]);
  });
}

/** An accepted value as an event has it. */
function jsonOf(rule: FieldRule, text: string): unknown {
  if (rule.kind === "boolean") return text === "true";
  return rule.kind === "integer" || rule.kind === "number" ? parseExactJson(text) : text;
}

/** Why a value of the field is refused, by an event of that field alone; undefined if it is taken. */
function judgeOfValue(contract: Contract, rule: FieldRule, type: AvroType): (value: unknown) => string | undefined {
  if (rule.examples === undefined && rule.accepted === undefined) return () => undefined;
  const schema: AvroRecord = { type: "record", name: "Example", fields: [{ name: rule.name, type }] };
  const alone: Contract = { ...contract, fields: [rule], rules: [], eventTime: "", eventTimeWindow: null };
  const admit = admission(alone, schema, 1);
  return (value) => {
    const [error] = admit({ [rule.name]: value });
    return error === undefined ? undefined : `refused by the contract's own rules: ${error.detail}`;
  };
}

function ofEvent(contract: Contract, release: SchemaRelease): ExampleProblem[] {
  let event: Record<string, unknown>;
  try {
    event = exampleEvent(contract, release, { now: NOW, id: "019b7890-0000-7000-8000-000000000000" });
  } catch (error) {
    if (!(error instanceof NoExample)) throw error;
    return [{ path: placeOf(contract.fields, error.path), message: error.message }];
  }
  return admission(
    contract,
    release.schema,
    release.version,
  )(event).map(({ rule, pointer, detail }) => {
    const broken = contract.rules.find(({ id }) => id === rule);
    const message = `the example event, made of the fields' examples, is refused: ${detail}`;
    if (broken === undefined) return { path: placeOf(contract.fields, pointer.split("/").slice(1)), message };
    return { rule: broken.id, message: `${message}; give the fields it reads "examples" that keep it` };
  });
}

/** The path under `properties` of a field by its names; as far as they lead. */
function placeOf(fields: readonly FieldRule[], names: readonly string[]): readonly PropertyKey[] {
  const [name, ...rest] = names;
  const index = fields.findIndex((field) => field.name === name);
  const field = fields[index];
  if (field === undefined) return [];
  return rest.length === 0 || field.fields === undefined
    ? [index]
    : [index, "properties", ...placeOf(field.fields, rest)];
}

function admission(contract: Contract, schema: AvroRecord, version: number): (event: unknown) => readonly EventError[] {
  const { topic } = contract;
  const admitter = createAdmitter(contract, uncompiled({ id: 100_001, topic, version, schema }));
  const context = { received: NOW * 1_000, suspectSurrogates: true, output: createEventBuffer(1_000), masker: null };
  return (event) => {
    const admission = admitter.admit(event, 0, context);
    return admission.accepted ? [] : admission.errors;
  };
}

/** A codec without avsc's types, which admission does not ask for: `schemas/codecs.ts` is made of what is being compiled. */
function uncompiled(release: SchemaRelease): SchemaCodec {
  const none = (): never => {
    throw new Error("the build has no codecs");
  };
  return {
    ...release,
    get type() {
      return none();
    },
    get envelope() {
      return none();
    },
  };
}
