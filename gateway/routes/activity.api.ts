/** What the routes of topics' activity take and answer. */
import * as z from "zod";
import { onTopic, onTopics } from "../access/need.ts";
import { type Operation, problems } from "../openapi/operation.ts";

export const activityQuery = z.object({
  hours: z
    .string()
    .regex(/^([1-9]|1\d|2[0-4])$/, "expected a number of hours from 1 to 24")
    .default("1")
    .describe("How far back, in hours of reception, the present one included"),
});

const counts = {
  topic: z.string(),
  contract_version: z.string(),
  shards: z.int(),
  accepted: z.int().describe("Events that buffers took in, as their last flush told"),
  rejected: z.int().describe("Events that were refused, and stand in the dead letters"),
  newest_received: z.string().nullable().describe("Of the newest bronze file"),
  published_at: z.string().nullable().describe("When its newest silver partition was last published"),
};

export const activityOperations: readonly Operation[] = [
  {
    method: "GET",
    path: "/v1/activity",
    tag: "Topics and contracts",
    summary: "What topics took in lately",
    need: onTopics(["read"]),
    query: activityQuery,
    responses: [
      {
        status: 200,
        description: "Every topic that the key may read",
        content: { "application/json": z.object({ from_hour: z.string(), topics: z.array(z.object(counts)) }) },
      },
    ],
    refusals: problems("INVALID_PARAMETER", "CATALOG_UNAVAILABLE"),
  },
  {
    method: "GET",
    path: "/v1/topics/{topic}/activity",
    tag: "Topics and contracts",
    summary:
      "What a topic took in lately, its buffers' thresholds, its partitions by status and the unknown fields that events bring",
    need: onTopic("read"),
    path_parameters: { topic: "A topic's name" },
    query: activityQuery,
    responses: [
      {
        status: 200,
        description: "The topic",
        content: {
          "application/json": z.object({
            from_hour: z.string(),
            ...counts,
            flush: z
              .object({ bytes: z.int(), rows: z.int(), age_ms: z.int() })
              .describe("A buffer is written to bronze when it has as much, or its oldest event is as old"),
            partitions: z
              .array(z.object({ status: z.string(), partitions: z.int(), newest: z.string() }))
              .describe("Of its silver table"),
            drift: z
              .array(
                z.object({
                  pointer: z
                    .string()
                    .nullable()
                    .describe(
                      "`*` is any item of an array; null: sealed ones of a topic with masked fields, whose names are not shown",
                    ),
                  first_seen: z.string(),
                  last_seen: z.string().describe("A date"),
                }),
              )
              .describe(
                "Fields that events brought since the last release and no schema of the topic has, at most some 200",
              ),
          }),
        },
      },
    ],
    refusals: problems("INVALID_PARAMETER", "UNKNOWN_TOPIC", "CATALOG_UNAVAILABLE"),
  },
];
