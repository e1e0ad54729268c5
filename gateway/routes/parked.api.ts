/** What the routes of parked messages take and answer. */
import * as z from "zod";
import { platform } from "../access/need.ts";
import { type Operation, problems } from "../openapi/operation.ts";

const queueName = z
  .string()
  .regex(/^([a-z0-9-]{1,63}|slices\/[a-z0-9_]{1,63})$/, "expected a queue's name such as sluice-local-orders");

const parkedId = z
  .string()
  .regex(/^([a-z0-9-]{1,63}|slices\/[a-z0-9_]{1,63})\/[^/]{1,200}$/, "expected QUEUE/ID or slices/TOPIC/ID");

export const parkedQuery = z.object({
  queue: queueName.optional().describe("Only messages of this queue; `slices`, `slices/TOPIC`: only slices"),
  limit: z
    .string()
    .regex(/^([1-9]\d{0,2}|1000)$/, "expected a number from 1 to 1000")
    .default("100")
    .describe("Messages of a page"),
  cursor: z.string().max(2_000).optional().describe("`next_cursor` of the page before"),
});

export const MOST_RETRIED = 50;

export const retryBody = z.strictObject({
  ids: z.array(parkedId).min(1).max(MOST_RETRIED).describe("Messages as QUEUE/ID, slices as slices/TOPIC/ID"),
});

export const parkedItemQuery = z.object({ id: parkedId.describe("QUEUE/ID, or slices/TOPIC/ID") });

const parkedMessage = z.object({
  id: z.string().describe("QUEUE/ID or slices/TOPIC/ID: what a retry names"),
  kind: z
    .enum(["message", "slice"])
    .describe("message: as its queue delivered it; slice: one shard's part of a message, set aside by a flush"),
  queue: z.string().describe("slices/TOPIC for a slice"),
  cause: z.enum(["data", "system"]).describe("data: its bytes are wrong; system: our fault, the bytes are fine"),
  topic: z.string().nullable().describe("null: nobody can say without opening it"),
  events: z.int().nullable(),
  detail: z.string(),
  attempts: z.int().describe("Deliveries before it was parked"),
  sent: z.string().describe("When it was sent to its queue; empty for a slice"),
  parked: z.string().describe("When it was parked, or last touched by a retry"),
  size: z.int().describe("Bytes"),
  redrives: z.int().describe("Automatic retries that did not succeed"),
});

const parkedItem = parkedMessage.extend({
  problem: z
    .string()
    .nullable()
    .describe("Why a retry would leave it parked as this deploy stands; null if nothing of its bytes is in the way"),
  header: z
    .object({
      message_id: z.string(),
      topic: z.string(),
      schema_id: z.int(),
      contract_version: z.string(),
      producer: z.string(),
      request_id: z.string(),
      received: z.string(),
      gateway: z.string().describe("The gateway instance; redrive/..., set-aside/... of what was sent again"),
      slices: z
        .array(z.object({ shard: z.int(), of: z.int(), events: z.int(), bytes: z.int() }))
        .describe("Those that are parked here"),
    })
    .nullable()
    .describe("null: its bytes are no message and no slice"),
});

export const parkedOperations: readonly Operation[] = [
  {
    method: "GET",
    path: "/v1/parked",
    tag: "Parked messages",
    summary: "List parked messages",
    description:
      "What could not go on and is kept intact, by queue and id: messages, and slices that flushes set aside.",
    need: platform("admin"),
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
    method: "GET",
    path: "/v1/parked/item",
    tag: "Parked messages",
    summary: "Show one parked message or slice",
    description: "Its story, its header, and whether this deploy can do anything with its bytes. No values of events.",
    need: platform("admin"),
    query: parkedItemQuery,
    responses: [{ status: 200, description: "It", content: { "application/json": parkedItem } }],
    refusals: problems("INVALID_PARAMETER", "NOT_PARKED", "LAKE_UNAVAILABLE"),
  },
  {
    method: "POST",
    path: "/v1/parked/retry",
    tag: "Parked messages",
    summary: "Send parked messages on",
    description:
      "Each goes back to its queue as it is. One that is older than the memory of message ids is looked up in bronze first, and sent under a fresh id only if bronze does not have it; repeating the call doubles nothing. A slice is decoded by this deploy first: if that fails it stays, with the reason.",
    need: platform("admin"),
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
