/** What the calls under `/registry` take and answer (Confluent Schema Registry API, version 7). */
import * as z from "zod";
import { ANY_KEY } from "../access/need.ts";
import { type Operation, registryErrors } from "../openapi/operation.ts";
import type { RegistryErrorCode } from "../registry/error.ts";

export const REGISTRY_TYPE = "application/vnd.schemaregistry.v1+json";

export const schemaBody = z.object({
  schema: z.string({ error: "expected the schema's JSON text" }),
  schemaType: z.literal("AVRO", { error: "only AVRO is supported" }).optional(),
  references: z.array(z.unknown()).max(0, "references are not supported").optional(),
});

export const pageQuery = z.object({
  offset: z.coerce.number().int().min(0).default(0).describe("How many to skip"),
  limit: z.coerce.number().int().default(-1).describe("How many at most; negative: all"),
});

export const compatibilityQuery = z.object({
  verbose: z.enum(["true", "false"]).optional().describe("true: say what is incompatible"),
});

const subjectVersion = z.object({ subject: z.string(), id: z.int(), version: z.int(), schema: z.string() });
const compatibilityLevel = z.object({ compatibilityLevel: z.string() });
const compatibility = z.object({ is_compatible: z.boolean(), messages: z.array(z.string()).optional() });
const avro = z.union([z.looseObject({}), z.array(z.unknown()), z.string()]).describe("The schema itself");

const subject = { subject: "A topic's name and -value" };
const subjectAndVersion = { ...subject, version: "A number from 1, or latest" };
const id = { id: "A schema's id" };

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

function refused(method: "PUT" | "DELETE", path: string, path_parameters: Readonly<Record<string, string>>): Operation {
  const summary = "Refused: releases are deploys";
  return { ...base(path), method, summary, path_parameters, responses: [], refusals: registryErrors(42205) };
}

function base(path: string): Pick<Operation, "path" | "tag" | "need" | "form"> {
  return { path: `/registry${path}`, tag: "Schema registry", need: ANY_KEY, form: "registry" };
}

export const registryOperations: readonly Operation[] = [
  get("/subjects", "List the subjects", z.array(z.string()), [], { query: pageQuery }),
  post("/subjects/{subject}", "Look up a version by its schema", subjectVersion, [40401, 40403, 42201], {
    path_parameters: subject,
  }),
  refused("DELETE", "/subjects/{subject}", subject),
  get("/subjects/{subject}/versions", "List the versions", z.array(z.int()), [40401], {
    path_parameters: subject,
    query: pageQuery,
  }),
  post(
    "/subjects/{subject}/versions",
    "The id of a schema that is released; others are refused, since releases are deploys",
    z.object({ id: z.int() }),
    [40401, 42201, 42205],
    { path_parameters: subject },
  ),
  get("/subjects/{subject}/versions/{version}", "One version", subjectVersion, [40401, 40402, 42202], {
    path_parameters: subjectAndVersion,
  }),
  refused("DELETE", "/subjects/{subject}/versions/{version}", subjectAndVersion),
  get("/subjects/{subject}/versions/{version}/schema", "The schema of one version", avro, [40401, 40402, 42202], {
    path_parameters: subjectAndVersion,
  }),
  get("/schemas/types", "The types of schemas there are", z.array(z.literal("AVRO"))),
  get("/schemas/ids/{id}", "A schema by its id", z.object({ schema: z.string() }), [40403], { path_parameters: id }),
  get("/schemas/ids/{id}/schema", "A schema by its id, alone", avro, [40403], { path_parameters: id }),
  get("/schemas/ids/{id}/subjects", "The subjects of a schema", z.array(z.string()), [40403], { path_parameters: id }),
  get(
    "/schemas/ids/{id}/versions",
    "The subjects and versions of a schema",
    z.array(z.object({ subject: z.string(), version: z.int() })),
    [40403],
    { path_parameters: id },
  ),
  post(
    "/compatibility/subjects/{subject}/versions",
    "Whether a schema could be released after all versions",
    compatibility,
    [40401, 42201],
    { path_parameters: subject, query: compatibilityQuery },
  ),
  post(
    "/compatibility/subjects/{subject}/versions/{version}",
    "Whether a schema is compatible with one version",
    compatibility,
    [40401, 40402, 42201, 42202],
    { path_parameters: subjectAndVersion, query: compatibilityQuery },
  ),
  get("/config", "The compatibility level unless a subject has its own", compatibilityLevel),
  refused("PUT", "/config", {}),
  get("/config/{subject}", "The compatibility level of a subject", compatibilityLevel, [40401], {
    path_parameters: subject,
  }),
  refused("PUT", "/config/{subject}", subject),
  get("/mode", "READONLY, always", z.object({ mode: z.literal("READONLY") })),
  refused("PUT", "/mode", {}),
];
