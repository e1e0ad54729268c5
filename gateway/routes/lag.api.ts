/** What the route of a topic's lag takes and answers. */
import * as z from "zod";
import { onTopic } from "../access/need.ts";
import { type Operation, problems } from "../openapi/operation.ts";
import { utcTime } from "../openapi/times.ts";

export const lagQuery = z.object({
  since: utcTime.optional().describe("Counts what was received from then on; a day ago if absent"),
  waiting: z
    .enum(["true", "false"], { error: "expected true or false" })
    .optional()
    .describe("true: asks queue and buffers too, one request to each buffer, and answers `waiting`"),
});

export const lagOperations: readonly Operation[] = [
  {
    method: "GET",
    path: "/v1/topics/{topic}/lag",
    tag: "Topics and contracts",
    summary: "How much of a topic is readable in bronze",
    description:
      "Ask before sending, keep `as_of`, send, and ask again with `since` until `bronze.rows` has grown to what was accepted. Events that others send meanwhile count too: your own are there when, besides, `waiting.queue` has nothing sent before your last answer, and after that `waiting.buffers` nothing appended before it was seen so.",
    need: onTopic("read", "admin"),
    path_parameters: { topic: "A topic's name" },
    query: lagQuery,
    responses: [
      {
        status: 200,
        description: "Where the topic stands",
        content: {
          "application/json": z.object({
            topic: z.string(),
            as_of: z.string().describe("The gateway's clock"),
            since: z.string(),
            appended: z
              .object({
                from_hour: z.string().describe("The hour of `since`"),
                events: z.int().describe("Events that buffers took in since that hour, as their last flush told"),
              })
              .describe("From the ledger"),
            bronze: z.object({
              rows: z.int().describe("Rows of live files that hold events received since then"),
              files: z.int(),
              newest_received: z.string().nullable(),
            }),
            waiting: z
              .object({
                queue: z
                  .object({ messages: z.int(), oldest_sent: z.string().nullable() })
                  .describe("As far as the queue tells: what a consumer was just given may be missing"),
                buffers: z.object({ events: z.int(), oldest_appended: z.string().nullable() }),
              })
              .optional()
              .describe("What is not in bronze yet; only with `waiting=true`"),
          }),
        },
      },
    ],
    refusals: problems("INVALID_PARAMETER", "UNKNOWN_TOPIC", "CATALOG_UNAVAILABLE"),
  },
];
