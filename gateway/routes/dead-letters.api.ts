/** What the routes of dead letters take and answer. */
import { z } from "zod";
import { ERROR_TYPES } from "../../contracts/verdict.ts";
import { parseDate, parseTimestamp } from "../../schemas/time.ts";
import { type Operation, problems } from "../openapi/operation.ts";

/** A time or a date; `microsOf` reads it. */
export const time = z
  .string()
  .max(40)
  .refine(
    (text) => microsOf(text) !== undefined,
    "expected a date such as 2026-01-31 or a time such as 2026-01-31T12:00:00Z",
  );

/** Microseconds since the epoch; a date is its midnight, UTC. */
export function microsOf(text: string): number | undefined {
  const day = parseDate(text);
  return day === undefined ? parseTimestamp(text) : day * 86_400_000_000;
}

export const MOST_PER_PAGE = 500;

export const filterFields = {
  topic: z.string().max(100).optional().describe("The topic that the event was sent to"),
  error_type: z.enum(ERROR_TYPES).optional().describe("The first error's type"),
  producer: z.string().max(200).optional().describe("Who sent it"),
  from: time.optional().describe("Received then or later; seven days before `to` if absent"),
  to: time.optional().describe("Received before then; now if absent"),
} as const;

export const listQuery = z.object({
  ...filterFields,
  order: z
    .enum(["newest", "oldest"], { error: "expected newest or oldest" })
    .default("newest")
    .describe("By the time of reception"),
  limit: z
    .string()
    .regex(/^([1-9]\d?|[1-4]\d\d|500)$/, "expected a number from 1 to 500")
    .default("50")
    .describe("Dead letters of a page"),
  cursor: z.string().max(200).optional().describe("`next_cursor` of the page before, with the same parameters"),
});

export const showQuery = z.object({
  date: z
    .string()
    .regex(/^\d{4}-\d\d-\d\d$/, "expected a date such as 2026-01-31")
    .optional()
    .describe("The UTC day on which it was received; the last seven days if absent"),
});

const summary = z.object({
  dlq_id: z.string(),
  source_topic: z.string(),
  error_type: z.string().describe("The first error's type"),
  errors: z.array(
    z.object({ error_type: z.string(), pointer: z.string(), rule: z.string().nullable(), detail: z.string() }),
  ),
  event_id: z.string().nullable(),
  producer: z.string(),
  received_at: z.string(),
  stage: z.string(),
  contract_version: z.string().nullable(),
  schema_version: z.int().nullable(),
  position: z
    .object({ request_id: z.string(), event_index: z.int(), byte_offset: z.int().nullable() })
    .describe("Where the event stood: its request, its place in it, its first byte in the decoded body"),
  attempts: z.int().describe("How often it was refused: once when it came, once more with each replay"),
  replay_of: z.string().nullable().describe("Of a replay that was refused: the first dead letter of the event"),
});

const whole = summary.extend({
  payload: z.string().nullable().describe("As received, in `payload_encoding`; null where it lies under `payload_ref`"),
  payload_encoding: z
    .string()
    .describe("utf-8: the text itself; base64, binary: bytes; aes-gcm: sealed, since the topic has masked fields"),
  payload_ref: z.string().nullable().describe("The R2 key of a payload too large for a message"),
});

export const deadLettersOperations: readonly Operation[] = [
  {
    method: "GET",
    path: "/v1/dead-letters",
    tag: "Dead letters",
    summary: "List dead letters",
    description:
      "Read from the lake: what was refused in the last minute may not be there yet. Pages are stable: `next_cursor` goes on where the page ended, whatever arrives meanwhile; a page may be short, even empty, and have a next one. Needs `TOPIC:read`; without `topic`, those of all topics that the key may read.",
    access: "key",
    query: listQuery,
    responses: [
      {
        status: 200,
        description: "A page",
        content: {
          "application/json": z.object({ dead_letters: z.array(summary), next_cursor: z.string().nullable() }),
        },
      },
    ],
    refusals: problems("INVALID_PARAMETER", "UNKNOWN_TOPIC", "LAKE_BUSY", "LAKE_UNAVAILABLE"),
  },
  {
    method: "GET",
    path: "/v1/dead-letters/{dlq_id}",
    tag: "Dead letters",
    summary: "One dead letter, whole",
    description: "With its payload as received; masked and sealed values stay so. Needs `TOPIC:read`.",
    access: "key",
    path_parameters: { dlq_id: "The dead letter's id" },
    query: showQuery,
    responses: [{ status: 200, description: "The dead letter", content: { "application/json": whole } }],
    refusals: problems("INVALID_PARAMETER", "UNKNOWN_DEAD_LETTER", "LAKE_BUSY", "LAKE_UNAVAILABLE"),
  },
];
