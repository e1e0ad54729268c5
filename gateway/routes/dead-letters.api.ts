/** What the routes of dead letters take and answer. */
import * as z from "zod";
import { ERROR_TYPES } from "../../contracts/verdict.ts";
import { onTopics } from "../access/need.ts";
import { type Operation, problems } from "../openapi/operation.ts";
import { date, dateOrTime } from "../openapi/times.ts";

export const filterFields = {
  topic: z.string().max(100).optional().describe("The topic that the event was sent to"),
  error_type: z.enum(ERROR_TYPES).optional().describe("The first error's type"),
  producer: z.string().max(200).optional().describe("Who sent it"),
  from: dateOrTime
    .optional()
    .describe(
      "Received then or later, at most the `replayWindow` of dead_letters back; seven days before `to` if absent",
    ),
  to: dateOrTime.optional().describe("Received before then; now if absent"),
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
  date: date.optional().describe("The UTC day on which it was received; the last seven days if absent"),
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
  attempts: z.int().describe("1 for an event that came in; one more than the dead letter whose replay was refused"),
  replay_of: z.string().nullable().describe("Of a replay that was refused: the first dead letter of the event"),
});

const whole = summary.extend({
  payload: z.string().nullable().describe("As received, in `payload_encoding`; null where it lies under `payload_ref`"),
  payload_encoding: z
    .string()
    .describe("utf-8: the text itself; base64, binary: bytes; aes-gcm: sealed, since the topic has masked fields"),
  payload_ref: z.string().nullable().describe("The R2 key of a payload too large for a message"),
});

export const MOST_REPLAYED = 200;

export const replayBody = z
  .strictObject({
    dlq_ids: z.array(z.string().min(1).max(64)).min(1).max(MOST_REPLAYED).optional(),
    ...filterFields,
    max: z.int().min(1).max(MOST_REPLAYED).default(100).describe("With a filter: how many at most"),
    cursor: z.string().max(200).optional().describe("With a filter: `next_cursor` of the answer before"),
    schema_version: z
      .int()
      .min(1)
      .max(999_999_999)
      .nullable()
      .default(null)
      .describe("Judges events that name no version by this one; by the one they were judged by if absent"),
    accept_masked: z
      .boolean()
      .default(false)
      .describe("Takes values that were refused and are masked since, which nothing can judge again"),
    dry_run: z.boolean().default(true).describe("false: events are sent"),
  })
  .superRefine((body, context) => {
    const refuse = (path: string, message: string): void => context.addIssue({ code: "custom", path: [path], message });
    const { dlq_ids, topic, error_type, producer, cursor } = body;
    if (dlq_ids === undefined && topic === undefined) refuse("topic", "expected a topic, or dlq_ids");
    if (dlq_ids === undefined) return;
    const others = Object.entries({ topic, error_type, producer, cursor });
    for (const [name, value] of others) if (value !== undefined) refuse(name, "not together with dlq_ids");
  });

const replayAnswer = z.object({
  request_id: z.string(),
  dry_run: z.boolean(),
  accepted: z.int(),
  rejected: z.int(),
  unreplayable: z.int(),
  not_found: z.int(),
  retry: z.int(),
  results: z.array(
    z.object({
      dlq_id: z.string(),
      status: z.enum(["accepted", "rejected", "unreplayable", "not_found", "retry"]),
      source_topic: z.string().optional(),
      event_id: z.string().nullable().optional().describe("As the event claimed"),
      keyed_by_dlq_id: z.literal(true).optional().describe("The event had no id: its first dead letter's is its id"),
      errors: z
        .array(
          z.object({ error_type: z.string(), pointer: z.string(), rule: z.string().nullable(), detail: z.string() }),
        )
        .optional(),
      dead_letter: z.string().optional().describe("Of a rejected one: its new dead letter"),
      reason: z.string().optional().describe("Why it is unreplayable"),
    }),
  ),
  next_cursor: z.string().nullable().describe("With a filter: there are more"),
});

export const deadLettersOperations: readonly Operation[] = [
  {
    method: "GET",
    path: "/v1/dead-letters",
    tag: "Dead letters",
    summary: "List dead letters",
    description:
      "Read from the lake: what was refused in the last minute may not be there yet. Pages are stable: `next_cursor` goes on where the page ended, whatever arrives meanwhile; a page may be short, even empty, and have a next one. Without `topic`, those of all topics that the key may read.",
    need: onTopics(["read"]),
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
    description: "With its payload as received; masked and sealed values stay so.",
    need: onTopics(["read"]),
    path_parameters: { dlq_id: "The dead letter's id" },
    query: showQuery,
    responses: [{ status: 200, description: "The dead letter", content: { "application/json": whole } }],
    refusals: problems("INVALID_PARAMETER", "UNKNOWN_DEAD_LETTER", "LAKE_BUSY", "LAKE_UNAVAILABLE"),
  },
  {
    method: "POST",
    path: "/v1/dead-letters/replay",
    tag: "Dead letters",
    summary: "Send dead letters through admission again",
    description:
      "By ids, or by a filter that names its topic, oldest first. A dry run unless `dry_run` is false; then all is durable when it answers. Times are judged by the first reception. Replaying twice gives the same silver. What is refused again becomes a new dead letter with one more attempt.",
    need: onTopics(["read"], ["write", "admin"]),
    body: { description: "Which, and how", content: { "application/json": replayBody } },
    responses: [{ status: 200, description: "What became of each", content: { "application/json": replayAnswer } }],
    refusals: problems(
      "INVALID_PARAMETER",
      "UNKNOWN_TOPIC",
      "BODY_TOO_LARGE",
      "OVERLOADED",
      "QUEUE_UNAVAILABLE",
      "MASKING_KEYS_UNAVAILABLE",
      "LAKE_BUSY",
      "LAKE_UNAVAILABLE",
    ),
  },
];
