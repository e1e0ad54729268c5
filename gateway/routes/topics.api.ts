/** What the routes of topics answer. */
import * as z from "zod";
import { ANY_KEY } from "../access/need.ts";
import { type Operation, problems } from "../openapi/operation.ts";

const topicSummary = z.object({
  topic: z.string(),
  description: z.string(),
  domain: z.string(),
  mode: z.literal("append"),
  contract_version: z.string(),
  schema_version: z.int().describe("The schema version that events have when they name none"),
  accepts_events: z.boolean().describe("Whether producers may post to it"),
  events_url: z.string(),
});

const topicDetail = topicSummary.extend({
  dedupe_key: z.array(z.string()),
  event_time: z.string(),
  event_time_window: z.object({ past_ms: z.number(), future_ms: z.number() }).nullable(),
  unknown_fields: z.enum(["keep", "reject"]),
  replay_window_ms: z.number().describe("How far back events are peeked at and dead letters listed and replayed"),
  service_levels: z
    .object({
      latency_ms: z.number().nullable().describe("From acceptance to bronze"),
      freshness_ms: z.number().nullable().describe("How old the newest event time in the published table may be"),
      completeness_percent: z
        .number()
        .nullable()
        .describe("Share of the received events that reaches the published table"),
      retention_ms: z.number().nullable().describe("How long bronze is kept after the end of its date; null: for good"),
    })
    .describe("What the contract promises; null: nothing"),
  schemas: z.array(z.looseObject({ id: z.int(), version: z.int() })),
  fields: z.array(z.looseObject({ name: z.string(), kind: z.string(), required: z.boolean() })),
  rules: z.array(
    z.object({ id: z.string(), pointer: z.string(), description: z.string(), expression: z.string().describe("CEL") }),
  ),
});

export const topicsOperations: readonly Operation[] = [
  {
    method: "GET",
    path: "/v1/topics",
    tag: "Topics and contracts",
    summary: "List the topics",
    need: ANY_KEY,
    responses: [
      {
        status: 200,
        description: "Every topic",
        content: { "application/json": z.object({ topics: z.array(topicSummary) }) },
      },
    ],
  },
  {
    method: "GET",
    path: "/v1/topics/{topic}",
    tag: "Topics and contracts",
    summary: "One topic with its fields and rules",
    need: ANY_KEY,
    path_parameters: { topic: "A topic's name" },
    responses: [{ status: 200, description: "The topic", content: { "application/json": topicDetail } }],
    refusals: problems("UNKNOWN_TOPIC"),
  },
];
