/** What the calls under `/registry` take and answer (Confluent Schema Registry API, version 7). */
import * as z from "zod";
import { ANY_KEY } from "../access/need.ts";
import { type Operation, registryErrors } from "../openapi/operation.ts";
import type { RegistryErrorCode } from "../registry/error.ts";
import { ID, VERSION } from "../registry/subjects.ts";

export const REGISTRY_TYPE = "application/vnd.schemaregistry.v1+json";

/** A member that is null is absent: Java's and Go's clients write all that they know. */
function absentIfNull<Schema extends z.ZodType>(schema: Schema) {
  return schema.nullish();
}

export const schemaBody = z.object({
  schema: z.string({ error: "expected the schema's JSON text" }),
  schemaType: absentIfNull(z.literal("AVRO", { error: "only AVRO is supported" })),
  references: absentIfNull(z.array(z.unknown()).max(0, "references are not supported: write the types out")),
  metadata: absentIfNull(z.looseObject({})).describe("Not used: the contract says it"),
  ruleSet: absentIfNull(z.never({ error: "rule sets are not supported: write rules into the contract" })),
});

/** In any letter case, as Java reads it: Confluent's client for Python writes `True` and `False`. */
const flag = (what: string) =>
  z
    .string()
    .regex(/^(?:[Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee])$/, "expected true or false")
    .optional()
    .describe(what);

/** Whether a flag is there and true. */
export function isSet(flag: string | undefined): boolean {
  return flag?.toLowerCase() === "true";
}

const page = {
  offset: z
    .string()
    .regex(/^\d{1,9}$/, "expected a number from 0")
    .default("0")
    .describe("How many to skip"),
  limit: z
    .string()
    .regex(/^-?\d{1,9}$/, "expected a number")
    .default("-1")
    .describe("How many at most; negative: all"),
};
const prefix = z
  .string()
  .optional()
  .describe("What a subject begins with; `:.:` and `:*:` before it name the one context");
const deleted = flag("true: those that are deleted too; nothing ever is");
const deletedOnly = flag("true: only what is deleted, which is nothing");
const normalize = flag("Schemas are compared normalized in any case");

export const subjectsQuery = z.object({ ...page, subjectPrefix: prefix, deleted, deletedOnly });
export const versionsQuery = z.object({ ...page, deleted, deletedOnly });
export const schemasQuery = z.object({
  ...page,
  subjectPrefix: prefix,
  deleted,
  latestOnly: flag("true: only the newest version of each subject"),
});
export const idQuery = z.object({ ...page, subject: z.string().optional().describe("Only this subject"), deleted });
export const schemaQuery = z.object({
  subject: z.string().optional().describe("Where to look; ids are the same everywhere"),
  fetchMaxId: flag("true: says the highest id too"),
});
export const lookUpQuery = z.object({ normalize, deleted });
export const registerQuery = z.object({ normalize });
export const versionQuery = z.object({ deleted });
export const defaultQuery = z.object({
  defaultToGlobal: flag("true: of a subject that does not exist, what all others have"),
});
export const compatibilityQuery = z.object({ verbose: flag("true: say what is incompatible"), normalize });

const subjectVersion = z.object({ subject: z.string(), id: z.int(), version: z.int(), schema: z.string() });
const compatibilityLevel = z.object({ compatibilityLevel: z.string() });
const compatibility = z.object({ is_compatible: z.boolean(), messages: z.array(z.string()).optional() });
const mode = z.object({ mode: z.literal("READONLY") });
const avro = z.union([z.looseObject({}), z.array(z.unknown()), z.string()]).describe("The schema itself");

const subject = { subject: "A topic's name and -value" };
const subjectAndVersion = {
  ...subject,
  version: { description: "A number from 1, or latest (also written -1)", pattern: VERSION },
};
const id = { id: { description: "A schema's id", pattern: ID } };

function get(
  path: string,
  summary: string,
  answer: z.ZodType,
  codes: readonly RegistryErrorCode[] = [],
  more: Partial<Operation> = {},
): Operation {
  return {
    ...more,
    ...base(path),
    method: "GET",
    summary,
    responses: [{ status: 200, description: summary, content: { [REGISTRY_TYPE]: answer } }],
    refusals: registryErrors(...codes),
  };
}

function post(
  path: string,
  summary: string,
  answer: z.ZodType,
  codes: readonly RegistryErrorCode[],
  more: Partial<Operation> = {},
): Operation {
  const body = { description: "The schema", content: { [REGISTRY_TYPE]: schemaBody } };
  return { body, ...get(path, summary, answer, [413, ...codes], more), method: "POST" };
}

function refused(
  method: "PUT" | "DELETE",
  path: string,
  path_parameters: NonNullable<Operation["path_parameters"]>,
): Operation {
  const summary = "Refused: releases are deploys";
  return { ...base(path), method, summary, path_parameters, responses: [], refusals: registryErrors(42205) };
}

function base(path: string): Pick<Operation, "path" | "tag" | "need" | "form"> {
  return { path: `/registry${path}`, tag: "Schema registry", need: ANY_KEY, form: "registry" };
}

const VERSION_ERRORS: readonly RegistryErrorCode[] = [400, 40401, 40402, 42202];

export const registryOperations: readonly Operation[] = [
  get("", "The registry is here", z.object({})),
  get("/contexts", "The contexts: one, the default one", z.array(z.literal("."))),
  get("/subjects", "List the subjects", z.array(z.string()), [400], { query: subjectsQuery }),
  post("/subjects/{subject}", "Look up a version by its schema", subjectVersion, [400, 40401, 40403, 42201], {
    path_parameters: subject,
    query: lookUpQuery,
  }),
  refused("DELETE", "/subjects/{subject}", subject),
  get("/subjects/{subject}/versions", "List the versions", z.array(z.int()), [400, 40401], {
    path_parameters: subject,
    query: versionsQuery,
  }),
  post(
    "/subjects/{subject}/versions",
    "The id of a schema that is released; others are refused, since releases are deploys",
    z.object({ id: z.int() }),
    [400, 40401, 42201, 42205],
    { path_parameters: subject, query: registerQuery },
  ),
  get("/subjects/{subject}/versions/{version}", "One version", subjectVersion, VERSION_ERRORS, {
    path_parameters: subjectAndVersion,
    query: versionQuery,
  }),
  refused("DELETE", "/subjects/{subject}/versions/{version}", subjectAndVersion),
  get("/subjects/{subject}/versions/{version}/schema", "The schema of one version", avro, VERSION_ERRORS, {
    path_parameters: subjectAndVersion,
    query: versionQuery,
  }),
  get(
    "/subjects/{subject}/versions/{version}/referencedby",
    "The ids of schemas that refer to one version: none, types are written out",
    z.array(z.int()),
    [40401, 40402, 42202],
    { path_parameters: subjectAndVersion },
  ),
  get("/schemas", "List the versions of all subjects", z.array(subjectVersion), [400], { query: schemasQuery }),
  get("/schemas/types", "The types of schemas there are", z.array(z.literal("AVRO"))),
  get(
    "/schemas/ids/{id}",
    "A schema by its id",
    z.object({ schema: z.string(), maxId: z.int().optional() }),
    [400, 40403],
    { path_parameters: id, query: schemaQuery },
  ),
  get("/schemas/ids/{id}/schema", "A schema by its id, alone", avro, [40403], { path_parameters: id }),
  get("/schemas/ids/{id}/subjects", "The subjects of a schema", z.array(z.string()), [400, 40403], {
    path_parameters: id,
    query: idQuery,
  }),
  get(
    "/schemas/ids/{id}/versions",
    "The subjects and versions of a schema",
    z.array(z.object({ subject: z.string(), version: z.int() })),
    [400, 40403],
    { path_parameters: id, query: idQuery },
  ),
  post(
    "/compatibility/subjects/{subject}/versions",
    "Whether `sluice schemas release` would take a schema after all versions",
    compatibility,
    [400, 40401, 42201],
    { path_parameters: subject, query: compatibilityQuery },
  ),
  post(
    "/compatibility/subjects/{subject}/versions/{version}",
    "Whether a schema could follow one version",
    compatibility,
    [400, 40401, 40402, 42201, 42202],
    { path_parameters: subjectAndVersion, query: compatibilityQuery },
  ),
  get("/config", "The compatibility level unless a subject has its own", compatibilityLevel),
  refused("PUT", "/config", {}),
  refused("DELETE", "/config", {}),
  get("/config/{subject}", "The compatibility level of a subject", compatibilityLevel, [400, 40408], {
    path_parameters: subject,
    query: defaultQuery,
  }),
  refused("PUT", "/config/{subject}", subject),
  refused("DELETE", "/config/{subject}", subject),
  get("/mode", "READONLY, always", mode),
  refused("PUT", "/mode", {}),
  get("/mode/{subject}", "READONLY, always", mode, [400, 40409], { path_parameters: subject, query: defaultQuery }),
  refused("PUT", "/mode/{subject}", subject),
  refused("DELETE", "/mode/{subject}", subject),
];
