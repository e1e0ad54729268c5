/** What the routes of contracts take and answer. */
import * as z from "zod";
import { ANY_KEY } from "../access/need.ts";
import { type Operation, problems } from "../openapi/operation.ts";

export const contractQuery = z.object({
  format: z
    .enum(["json", "yaml"], { error: "expected json or yaml" })
    .optional()
    .describe("Instead of the header Accept"),
});

const topic = { topic: "A topic's name" };
const contract = z
  .looseObject({ apiVersion: z.string(), kind: z.literal("DataContract"), version: z.string() })
  .describe("Open Data Contract Standard 3.1");

export const contractsOperations: readonly Operation[] = [
  {
    method: "GET",
    path: "/v1/contracts/{topic}",
    tag: "Topics and contracts",
    summary: "The contract of a topic, as JSON or as the YAML that people wrote",
    need: ANY_KEY,
    path_parameters: topic,
    query: contractQuery,
    responses: [
      {
        status: 200,
        description: "The contract",
        content: { "application/json": contract, "application/yaml": z.string() },
      },
    ],
    refusals: problems("INVALID_PARAMETER", "UNKNOWN_TOPIC"),
  },
  {
    method: "GET",
    path: "/v1/contracts/{topic}/example",
    tag: "Topics and contracts",
    summary: "A valid event of this moment, ready to be posted",
    need: ANY_KEY,
    path_parameters: topic,
    responses: [{ status: 200, description: "The event", content: { "application/json": z.looseObject({}) } }],
    refusals: problems("UNKNOWN_TOPIC"),
  },
  {
    method: "GET",
    path: "/v1/contracts/{topic}/schema.json",
    tag: "Topics and contracts",
    summary: "JSON Schema (2020-12) of the topic's events, for editors",
    need: ANY_KEY,
    path_parameters: topic,
    responses: [
      {
        status: 200,
        description: "The JSON Schema",
        content: { "application/schema+json": z.looseObject({ $schema: z.string(), $id: z.string() }) },
      },
    ],
    refusals: problems("UNKNOWN_TOPIC"),
  },
];
