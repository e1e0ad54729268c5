/** What the route that flushes a topic answers. */
import * as z from "zod";
import { onTopic } from "../access/need.ts";
import { type Operation, problems } from "../openapi/operation.ts";

export const flushOperations: readonly Operation[] = [
  {
    method: "POST",
    path: "/v1/topics/{topic}/flush",
    tag: "Topics and contracts",
    summary: "Write what a topic's buffers hold to bronze now",
    description:
      "Before its size, rows or age would. Each shard that holds events begins at once, and is done when `/v1/topics/{topic}/lag?waiting=true` says so; what still waits in the queue is not touched.",
    need: onTopic("admin"),
    path_parameters: { topic: "A topic's name" },
    responses: [
      {
        status: 202,
        description: "The flush is under way",
        content: {
          "application/json": z.object({
            topic: z.string(),
            events: z.int().describe("Of all shards"),
            shards: z
              .array(z.object({ shard: z.int(), of: z.int(), events: z.int(), oldest_appended: z.string().nullable() }))
              .describe("Every shard that was ever addressed; one without events has nothing to flush"),
          }),
        },
      },
    ],
    refusals: problems("UNKNOWN_TOPIC", "CATALOG_UNAVAILABLE"),
  },
];
