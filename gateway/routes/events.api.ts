/** What `POST /v1/topics/{topic}/events` takes and answers. */
import * as z from "zod";
import { ERROR_TYPES } from "../../contracts/verdict.ts";
import { onTopic } from "../access/need.ts";
import { type Operation, problems } from "../openapi/operation.ts";

const yesNo = z.enum(["true", "false"], { error: "expected true or false" });

export const eventsQuery = z.object({
  dry_run: yesNo.default("false").describe("true: verdicts as usual, but nothing is stored"),
  results: z
    .literal("all", { error: "expected all, or leave it out" })
    .optional()
    .describe("all: accepted events are listed too"),
  k: z.string().optional().describe("A publishable key, where no header can be set (navigator.sendBeacon)"),
});

export const eventsHeaders = z.object({
  "Sluice-Schema-Version": z
    .string()
    .regex(/^[1-9]\d{0,8}$/, "expected a version number such as 1")
    .optional()
    .describe("The schema version of events that name none; the current one if absent"),
  "Idempotency-Key": z
    .string()
    .regex(/^[!-~]{1,255}$/, "expected 1 to 255 visible ASCII characters, such as a UUID")
    .optional()
    .describe("Makes sending the same body again harmless for 24 hours: the first answer is given again"),
});

const eventError = z.object({
  error_type: z.enum(ERROR_TYPES),
  pointer: z.string().describe("JSON pointer into the event (RFC 6901)"),
  rule: z.string().nullable().describe("The contract's rule, if one spoke"),
  detail: z.string(),
  contract_version: z.string(),
});

const eventResult = z.object({
  index: z.int().describe("Position in the request, from 0"),
  event_id: z.string().nullable(),
  status: z.enum(["accepted", "rejected", "retry"]),
  errors: z.array(eventError),
  code: z.string().optional().describe("Only with retry: why it could not be stored"),
});

export const ingestAnswer = z.object({
  request_id: z.string(),
  topic: z.string(),
  accepted: z.int(),
  rejected: z.int(),
  retry: z.int(),
  dry_run: z.literal(true).optional(),
  duplicates: z
    .array(z.object({ index: z.int(), of: z.int().describe("The first event with this key") }))
    .optional()
    .describe("Events whose dedupe key an earlier event of the request has, at most 100; each has its own verdict"),
  duplicates_total: z.int().optional().describe("How many such events there are; absent if there are none"),
  errors_truncated: z
    .literal(true)
    .optional()
    .describe("The request has so many errors that some events list only their first; every event has its verdict"),
  results: z.array(eventResult).describe("Events that are not accepted, or all with ?results=all"),
});

const event = z.looseObject({}).describe("See /v1/contracts/{topic}/schema.json");

const events = z.union([event, z.array(event).min(1)]);
const lines = z.string().describe("One JSON object a line");
const container = z.string().meta({ format: "binary" }).describe("An Avro container file of a released schema");
const cloudEvent = z
  .looseObject({ specversion: z.literal("1.0"), id: z.string(), source: z.string(), type: z.string() })
  .describe("A CloudEvent 1.0 in structured mode; its data is the event");

/** By media type; a test holds the list against what the gateway takes. */
const eventFormats: Readonly<Record<string, z.ZodType>> = {
  "application/json": events.describe("Events; with the headers ce-*, the data of one CloudEvent in binary mode"),
  "application/x-ndjson": lines,
  "application/ndjson": lines,
  "application/jsonl": lines,
  "application/cloudevents+json": cloudEvent,
  "application/cloudevents-batch+json": z.array(cloudEvent),
  "avro/binary": container,
  "application/avro": container,
  "application/vnd.apache.avro": container,
  "application/vnd.confluent.avro": z
    .string()
    .meta({ format: "binary" })
    .describe("One event in the wire format of Confluent's serializers; schema ids are those of /registry"),
};

export const eventsOperations: readonly Operation[] = [
  {
    method: "POST",
    path: "/v1/topics/{topic}/events",
    tag: "Events",
    summary: "Send events; each gets a verdict",
    description:
      "Answers after the queue has the accepted events durably. `retry` in the answer means: not stored, send it again. A request has at most 50,000 events, and 20 MiB as lines (NDJSON), 10 MiB in other formats, 5 MiB with an Idempotency-Key.",
    need: { ...onTopic("write"), publishable: true },
    path_parameters: { topic: "A topic that accepts events, see /v1/topics" },
    query: eventsQuery,
    headers: eventsHeaders,
    body: {
      description:
        "Events in one of these formats, in UTF-8 where they are text; `Content-Encoding: gzip` is taken too",
      content: eventFormats,
    },
    responses: [
      { status: 202, description: "All events are accepted", content: { "application/json": ingestAnswer } },
      { status: 207, description: "Some events are accepted", content: { "application/json": ingestAnswer } },
      { status: 422, description: "No event is accepted", content: { "application/json": ingestAnswer } },
    ],
    refusals: problems(
      "MALFORMED_PAYLOAD",
      "EMPTY_BODY",
      "INVALID_PARAMETER",
      "ORIGIN_NOT_ALLOWED",
      "PLATFORM_TOPIC",
      "UNKNOWN_TOPIC",
      "BODY_TIMEOUT",
      "BODY_TOO_LARGE",
      "TOO_MANY_EVENTS",
      "UNSUPPORTED_MEDIA_TYPE",
      "UNSUPPORTED_CONTENT_ENCODING",
      "QUEUE_UNAVAILABLE",
      "BACK_PRESSURE",
      "OVERLOADED",
      "IDEMPOTENCY_KEY_REUSED",
      "RECEIPTS_UNAVAILABLE",
      "MASKING_KEYS_UNAVAILABLE",
    ),
  },
];
