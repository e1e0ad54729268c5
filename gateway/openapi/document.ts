/** The OpenAPI 3.1 document (https://spec.openapis.org/oas/v3.1.1.html) of the operations, made from their zod schemas. */
import * as z from "zod";
import { needText } from "../access/need.ts";
import { PROBLEMS } from "../problem.ts";
import { type Operation, type Refusal, refusalsOf } from "./operation.ts";

/** A JSON object; its members follow the specification's names. */
export type OpenApiObject = Readonly<Record<string, unknown>>;

export interface OpenApiDocument {
  readonly openapi: "3.1.1";
  readonly info: OpenApiObject;
  readonly paths: Readonly<Record<string, Readonly<Record<string, OpenApiObject>>>>;
  readonly components: OpenApiObject;
}

export const problemBody = z.looseObject({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  code: z.enum(Object.keys(PROBLEMS)),
  detail: z.string(),
  remedy: z.string(),
  request_id: z.string(),
});

export const registryErrorBody = z.object({ error_code: z.int(), message: z.string() });

export function openApiDocument(operations: readonly Operation[]): OpenApiDocument {
  const paths: Record<string, Record<string, OpenApiObject>> = {};
  for (const operation of operations) {
    const item = paths[operation.path] ?? {};
    item[operation.method.toLowerCase()] = operationObject(operation);
    paths[operation.path] = item;
  }
  return {
    openapi: "3.1.1",
    info: {
      title: "Sluice",
      version: "1",
      description:
        "Events over HTTPS, checked against data contracts. Errors are RFC 9457 problem details with a stable `code`; under /registry they have the Confluent Schema Registry's form. A failure of the platform itself is 500 with the code INTERNAL_ERROR.",
    },
    paths,
    components: {
      schemas: { Problem: jsonSchema(problemBody, "output"), RegistryError: jsonSchema(registryErrorBody, "output") },
      securitySchemes: { bearer: { type: "http", scheme: "bearer" }, basic: { type: "http", scheme: "basic" } },
    },
  };
}

function operationObject(operation: Operation): OpenApiObject {
  const { body, tag, summary } = operation;
  return {
    operationId: `${operation.method.toLowerCase()}${operation.path.replaceAll(/[^a-zA-Z0-9]+/g, "_").replace(/_$/, "")}`,
    tags: [tag],
    summary,
    description: descriptionOf(operation),
    security: securityOf(operation),
    parameters: parametersOf(operation),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: body.required ?? true,
            description: body.description,
            content: contentOf(body.content, "input"),
          },
        }),
    responses: responsesOf(operation),
  };
}

/** What the operation says of itself, and the right that it needs. */
export function descriptionOf({ description, need }: Operation): string {
  return `${description === undefined ? "" : `${description} `}Needs ${needText(need)}.`;
}

function securityOf({ need, form }: Operation): readonly OpenApiObject[] {
  if (need.kind === "open") return [];
  return form === "registry" ? [{ bearer: [] }, { basic: [] }] : [{ bearer: [] }];
}

function parametersOf(operation: Operation): readonly OpenApiObject[] {
  const path = Object.entries(operation.path_parameters ?? {}).map(([name, parameter]) => ({
    name,
    in: "path",
    required: true,
    description: typeof parameter === "string" ? parameter : parameter.description,
    schema: typeof parameter === "string" ? { type: "string" } : { type: "string", pattern: parameter.pattern.source },
  }));
  return [...path, ...parametersIn("query", operation.query), ...parametersIn("header", operation.headers)];
}

function parametersIn(place: "query" | "header", schema: z.ZodObject | undefined): readonly OpenApiObject[] {
  if (schema === undefined) return [];
  const required = new Set(
    Object.keys(schema.shape).filter((name) => !schema.shape[name]?.safeParse(undefined).success),
  );
  return Object.entries(schema.shape).map(([name, member]) => {
    const { description, ...rest } = jsonSchema(member, "input");
    return { name, in: place, required: required.has(name), description, schema: rest };
  });
}

function responsesOf(operation: Operation): OpenApiObject {
  const responses: Record<string, OpenApiObject> = {};
  for (const { status, description, content } of operation.responses) {
    responses[status] = { description, content: contentOf(content, "output") };
  }
  for (const [status, refusals] of Map.groupBy(refusalsOf(operation), (refusal) => refusal.status)) {
    const schema = operation.form === "registry" ? "RegistryError" : "Problem";
    const type = schema === "Problem" ? "application/problem+json" : Object.keys(registryContent)[0];
    const refused = {
      description: refusalTexts(refusals),
      content: { [type ?? ""]: { schema: { $ref: `#/components/schemas/${schema}` } } },
    };
    responses[status] = refused;
  }
  return responses;
}

const registryContent = { "application/vnd.schemaregistry.v1+json": registryErrorBody };

function refusalTexts(refusals: readonly Refusal[]): string {
  return refusals.map(({ code, description }) => `${code}: ${description}`).join(". ");
}

function contentOf(content: Readonly<Record<string, z.ZodType>>, io: "input" | "output"): OpenApiObject {
  return Object.fromEntries(
    Object.entries(content).map(([type, schema]) => [type, { schema: jsonSchema(schema, io) }]),
  );
}

/** The schema as JSON Schema 2020-12, which is OpenAPI 3.1's own dialect. */
function jsonSchema(schema: z.ZodType, io: "input" | "output"): OpenApiObject {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io });
  return rest;
}
