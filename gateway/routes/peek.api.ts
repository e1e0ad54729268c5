/** What the route of a topic's newest events takes and answers. */
import * as z from "zod";
import { onTopic } from "../access/need.ts";
import { type Operation, problems } from "../openapi/operation.ts";
import { dateOrTime } from "../openapi/times.ts";

export const peekQuery = z.object({
  limit: z
    .string()
    .regex(/^([1-9]\d?|[1-4]\d\d|500)$/, "expected a number from 1 to 500")
    .default("10")
    .describe("Events at most"),
  from: dateOrTime
    .optional()
    .describe("Received then or later; at most the contract's `replayWindow` back, which it is if absent"),
});

export const peekOperations: readonly Operation[] = [
  {
    method: "GET",
    path: "/v1/topics/{topic}/events",
    tag: "Topics and contracts",
    summary: "The newest events of a topic, as they were sent",
    description:
      "Read from the newest bronze files, one row group of each, so that the cost is bounded: what buffers hold is not among them, and neither is what stands further back. Masked fields are as they are stored.",
    need: onTopic("read"),
    path_parameters: { topic: "A topic's name" },
    query: peekQuery,
    responses: [
      {
        status: 200,
        description: "The newest first",
        content: {
          "application/json": z.object({
            topic: z.string(),
            events: z.array(z.object({ received: z.string(), event: z.unknown() })),
          }),
        },
      },
    ],
    refusals: problems("INVALID_PARAMETER", "UNKNOWN_TOPIC", "LAKE_BUSY", "LAKE_UNAVAILABLE"),
  },
];
