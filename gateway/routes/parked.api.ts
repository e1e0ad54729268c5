/** What the routes of parked messages take and answer. */
import * as z from "zod";
import { type Operation, problems } from "../openapi/operation.ts";

const queueName = z.string().regex(/^[a-z0-9-]{1,63}$/, "expected a queue's name such as sluice-local-orders");

export const parkedQuery = z.object({
  queue: queueName.optional().describe("Only those of this queue"),
  limit: z
    .string()
    .regex(/^([1-9]\d{0,2}|1000)$/, "expected a number from 1 to 1000")
    .default("100")
    .describe("Messages of a page"),
  cursor: z.string().max(2_000).optional().describe("`next_cursor` of the page before"),
});

export const MOST_RETRIED = 50;

export const retryBody = z.strictObject({
  ids: z
    .array(z.string().regex(/^[a-z0-9-]{1,63}\/[^/]{1,200}$/, "expected QUEUE/ID"))
    .min(1)
    .max(MOST_RETRIED)
    .describe("Messages as QUEUE/ID"),
});

const parkedMessage = z.object({
  id: z.string().describe("QUEUE/ID: what a retry names"),
  queue: z.string(),
  cause: z.enum(["data", "system"]).describe("data: its bytes are wrong; system: our fault, the bytes are fine"),
  detail: z.string(),
  attempts: z.int().describe("Deliveries before it was parked"),
  sent: z.string().describe("When it was sent to its queue"),
  parked: z.string().describe("When it was parked, or last touched by a retry"),
  size: z.int().describe("Bytes"),
  redrives: z.int().describe("Automatic retries that did not succeed"),
});

export const parkedOperations: readonly Operation[] = [
  {
    method: "GET",
    path: "/v1/parked",
    tag: "Parked messages",
    summary: "List parked messages",
    description: "Messages that could not go on and are kept intact, by queue and id. Needs `*:admin`.",
    access: "key",
    query: parkedQuery,
    responses: [
      {
        status: 200,
        description: "A page",
        content: {
          "application/json": z.object({ parked: z.array(parkedMessage), next_cursor: z.string().nullable() }),
        },
      },
    ],
    refusals: problems("INVALID_PARAMETER", "LAKE_UNAVAILABLE"),
  },
  {
    method: "POST",
    path: "/v1/parked/retry",
    tag: "Parked messages",
    summary: "Send parked messages on",
    description:
      "Each goes back to its queue as it is. One that is older than the memory of message ids is looked up in bronze first, and sent under a fresh id only if bronze does not have it; repeating the call doubles nothing. Needs `*:admin`.",
    access: "key",
    body: { description: "Which", content: { "application/json": retryBody } },
    responses: [
      {
        status: 200,
        description: "What became of each",
        content: {
          "application/json": z.object({
            results: z.array(
              z.object({
                id: z.string(),
                outcome: z
                  .enum(["sent", "discarded", "kept", "postponed", "not_found", "failed"])
                  .describe("discarded: nothing was left to send; kept, postponed, failed: still parked"),
                detail: z.string().optional(),
                message_id: z.string().optional().describe("What it was sent under"),
                events: z.int().optional(),
              }),
            ),
          }),
        },
      },
    ],
    refusals: problems("INVALID_PARAMETER", "BODY_TOO_LARGE"),
  },
];
