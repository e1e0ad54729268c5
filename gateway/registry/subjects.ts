/**
 * Contracts and released schemas under the names of the Confluent Schema Registry: a topic's events are the subject
 * `<topic>-value` (TopicNameStrategy), and there is one context, the default one. Texts and canonical forms are made at their
 * first use, not when the Worker starts.
 */
import type { Contract } from "../../contracts/contract.ts";
import { contractOf, contracts } from "../../contracts/registry.ts";
import { semanticForm } from "../../schemas/canonical/form.ts";
import { InvalidSchema, parseSchema, parseSchemaText, type SchemaNode } from "../../schemas/canonical/parse.ts";
import { codecById, type SchemaCodec } from "../../schemas/codecs.ts";
import { evolutionFaults } from "../../schemas/release/evolution.ts";
import { readSchemaText } from "../../schemas/release/read.ts";
import { RegistryError } from "./error.ts";

const SUFFIX = "-value";

/** How clients write that a subject is of the default context (`:.:orders-value`), or of any (`:*:`, in prefixes). */
const DEFAULT_CONTEXT = /^:\.:/;
const ANY_CONTEXT = /^:(\.|\*):/;

/** What registries answer of one version. */
export interface SubjectVersion {
  readonly subject: string;
  readonly id: number;
  readonly version: number;
  /** The schema's JSON text. */
  readonly schema: string;
}

/** The subjects that begin with a prefix, in order. */
export function subjects(prefix = ""): string[] {
  const wanted = prefix.replace(ANY_CONTEXT, "");
  const names = contracts.map(({ topic }) => `${topic}${SUFFIX}`).sort();
  return names.filter((name) => name.startsWith(wanted));
}

/** The versions of the subjects that begin with a prefix, in order; of each the newest one only, if that is asked for. */
export function allVersions(prefix: string, latestOnly: boolean): SubjectVersion[] {
  return subjects(prefix).flatMap((subject) => {
    const contract = contractOfSubject(subject);
    const wanted = latestOnly ? contract.schemas.slice(-1) : contract.schemas;
    return wanted.map(({ id }) => describe(contract, codecOrThrow(id)));
  });
}

/** The contract behind a subject; undefined if there is none. */
export function findContract(subject: string): Contract | undefined {
  const name = subject.replace(DEFAULT_CONTEXT, "");
  return name.endsWith(SUFFIX) ? contractOf(name.slice(0, -SUFFIX.length)) : undefined;
}

/** The contract behind a subject. Throws RegistryError 40401. */
export function contractOfSubject(subject: string): Contract {
  const contract = findContract(subject);
  if (contract === undefined) throw new RegistryError(40401, `Subject '${subject.slice(0, 200)}' not found.`);
  return contract;
}

export function versionsOf(contract: Contract): number[] {
  return contract.schemas.map(({ version }) => version);
}

/** How the path names a version, and an id; numbers of nine digits are more than there will ever be. */
export const VERSION = /^(?:latest|-1|[1-9]\d{0,8})$/;
export const ID = /^[1-9]\d{0,8}$/;

/** `text` is a number from 1, `latest` or `-1`. Throws RegistryError 42202 or 40402. */
export function subjectVersion(contract: Contract, text: string): SubjectVersion {
  if (text === "latest" || text === "-1") {
    const latest = contract.schemas.at(-1);
    if (latest !== undefined) return describe(contract, codecOrThrow(latest.id));
  }
  if (!VERSION.test(text)) {
    const reason = `The specified version '${text.slice(0, 50)}' is not a valid version id. Allowed values are between [1, 999999999] and the string "latest"`;
    throw new RegistryError(42202, reason);
  }
  const found = contract.schemas.find(({ version }) => version === Number(text));
  if (found === undefined) throw new RegistryError(40402, `Version ${text} not found.`);
  return describe(contract, codecOrThrow(found.id));
}

/** A released schema of any topic. Throws RegistryError 40403. */
export function schemaOfId(text: string): SubjectVersion {
  const codec = ID.test(text) ? codecById(Number(text)) : undefined;
  const contract = codec === undefined ? undefined : contractOf(codec.topic);
  if (codec === undefined || contract === undefined) {
    throw new RegistryError(40403, `Schema ${text.slice(0, 50)} not found.`);
  }
  return describe(contract, codec);
}

/** The highest id that there is. */
export function maxId(): number {
  return Math.max(...contracts.flatMap(({ schemas }) => schemas.map(({ id }) => id)));
}

/** The released version that is this schema, newest first; undefined if none is. Throws RegistryError 42201. */
export function findVersion(contract: Contract, schemaText: string): SubjectVersion | undefined {
  const wanted = semanticForm(parsed(schemaText));
  const found = contract.schemas.findLast(({ id }) => formOf(codecOrThrow(id)) === wanted);
  return found === undefined ? undefined : describe(contract, codecOrThrow(found.id));
}

/**
 * Why a schema could not be released after these versions, as `sluice schemas release` would say; empty: it could. The newest
 * version itself has nothing to be released: whatever a client put beside it (such as `avro.java.string`) is no objection.
 * Throws RegistryError 42201.
 */
export function objections(contract: Contract, schemaText: string, versions: readonly number[]): string[] {
  // First, since it bounds how deep the rest goes.
  const form = semanticForm(parsed(schemaText));
  const newest = contract.schemas.at(-1);
  const codec = newest === undefined ? undefined : codecOrThrow(newest.id);
  const isNewest = codec !== undefined && form === formOf(codec);
  const { record, faults } = isNewest ? { record: codec.schema, faults: [] } : readSchemaText(schemaText);
  if (record === undefined || faults.length > 0) {
    return faults.map(({ message }) => `Sluice could not release this schema: ${message}`);
  }
  const next = (newest?.version ?? 0) + 1;
  const earlier = contract.schemas
    .filter(({ version }) => versions.includes(version))
    .map(({ id, version }) => ({ version, schema: codecOrThrow(id).schema }));
  const { incompatible, conflicts } = evolutionFaults(
    { version: next, schema: record },
    earlier,
    contract.compatibility,
  );
  return [
    ...incompatible.map(
      ({ reader, writer, message }) => `${name(reader, next)} cannot read ${name(writer, next)}: ${message}`,
    ),
    ...conflicts.map(({ message }) => message),
  ];
}

function name(version: number, candidate: number): string {
  return version === candidate ? "the new schema" : `version ${version}`;
}

function parsed(schemaText: string): SchemaNode {
  try {
    return parseSchemaText(schemaText);
  } catch (error) {
    if (error instanceof InvalidSchema) throw new RegistryError(42201, `Invalid schema: ${error.message}`);
    throw error;
  }
}

function describe(contract: Contract, codec: SchemaCodec): SubjectVersion {
  return { subject: `${contract.topic}${SUFFIX}`, id: codec.id, version: codec.version, schema: textOf(codec) };
}

function codecOrThrow(id: number): SchemaCodec {
  const codec = codecById(id);
  if (codec === undefined) throw new Error(`schema ${id} is in a contract but has no codec`);
  return codec;
}

const texts = new Map<number, string>();
const forms = new Map<number, string>();

function textOf(codec: SchemaCodec): string {
  const text = texts.get(codec.id) ?? JSON.stringify(codec.schema);
  texts.set(codec.id, text);
  return text;
}

function formOf(codec: SchemaCodec): string {
  const form = forms.get(codec.id) ?? semanticForm(parseSchema(codec.schema));
  forms.set(codec.id, form);
  return form;
}
