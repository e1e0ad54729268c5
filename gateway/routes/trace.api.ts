/** What the trace of an event takes and answers. */
import * as z from "zod";
import { onTopics } from "../access/need.ts";
import { type Operation, problems } from "../openapi/operation.ts";
import { date } from "../openapi/times.ts";

/** As long as an event's id may be (gateway/admit/topics.ts). */
export const EVENT_ID = /^[\s\S]{1,256}$/;

export const traceQuery = z.object({
  topic: z
    .string()
    .max(100)
    .optional()
    .describe("Look through this topic only; through all that the key may read if absent"),
  date: date
    .optional()
    .describe(
      "The event's partition date. If absent: files of the seven days from the making of a UUIDv7 on, or of the last seven days",
    ),
  cursor: z.string().max(1_000).optional().describe("Goes on where the answer that gave it stopped"),
});

const place = {
  file: z.string().describe("The object's key in the lake's bucket"),
  row_group: z.int(),
  row: z.int().describe("Counted from the file's first"),
};

const copy = z.object({
  topic: z.string(),
  message_id: z.string(),
  event_index: z.int().describe("The event's position in its request"),
  producer: z.string(),
  received: z.string(),
  schema_id: z.int(),
  partition_date: z.string(),
  bronze: z.object(place),
  silver: z
    .enum(["kept", "duplicate", "waiting", "held_back"])
    .describe(
      "kept: silver's row is this copy; duplicate: it is another one; waiting: its file waits for a build; held_back: built, without a row of this id",
    ),
});

const buffered = z.object({
  topic: z.string(),
  shard: z.int(),
  shard_of: z.int(),
  message_id: z.string(),
  event_index: z.int().nullable().describe("null: this deploy cannot decode the bytes, in which the id stands"),
  received: z.string(),
  buffered_since: z.string(),
});

const parked = z.object({
  parked_id: z.string().describe("QUEUE/ID or slices/TOPIC/ID, as GET /v1/parked/item takes it"),
  kind: z.enum(["message", "slice"]),
  topic: z.string(),
  message_id: z.string(),
  event_index: z.int().nullable().describe("null: this deploy cannot decode the bytes, in which the id stands"),
  received: z.string(),
  parked_since: z.string(),
  cause: z.enum(["data", "system"]),
  detail: z.string(),
});

const silver = z.object({
  topic: z.string(),
  table: z.string(),
  partition_date: z.string(),
  version: z.int().nullable().describe("null: nothing is published for the date"),
  committed_at: z.string().nullable(),
  row: z
    .object({ ...place, message_id: z.string(), event_index: z.int() })
    .nullable()
    .describe("Silver's row of this event; null if it has none"),
});

const gold = z.object({
  table: z.string(),
  partition_date: z.string(),
  version: z.int(),
  committed_at: z.string(),
  current: z.boolean().describe("Built from all that is published now of what it reads"),
});

const deadLetter = z.object({
  dlq_id: z.string(),
  topic: z.string(),
  error_type: z.string(),
  stage: z.string(),
  request_id: z.string(),
  event_index: z.int(),
  received: z.string(),
  bronze: z.object(place),
});

export const traceOperations: readonly Operation[] = [
  {
    method: "GET",
    path: "/v1/events/{event_id}",
    tag: "Ledger",
    summary: "What became of one event",
    description:
      "Every stored copy of the event with its bronze row, which of them silver kept, the gold tables built of it, or where it is parked, or its dead letters. A bounded number of files is read for one answer: with a `cursor` in it there are more to look through. docs/trace.md says what narrows a search.",
    need: onTopics(["read"]),
    path_parameters: {
      event_id: { description: "The event's id: the first field of its contract's dedupe key", pattern: EVENT_ID },
    },
    query: traceQuery,
    responses: [
      {
        status: 200,
        description: "What was found, maybe not all of it yet",
        content: {
          "application/json": z.object({
            event_id: z.string(),
            as_of: z.string(),
            state: z
              .enum(["silver", "bronze", "buffered", "parked", "rejected"])
              .nullable()
              .describe("The farthest that a copy came; null: nothing found up to the cursor"),
            copies: z.array(copy),
            buffered: z.array(buffered).describe("Waiting in a buffer for the next flush"),
            parked: z.array(parked).describe("Accepted, and kept from its way whole, until it is sent on"),
            silver: z.array(silver),
            gold: z.array(gold),
            dead_letters: z.array(deadLetter),
            searched: z.object({
              topics: z.array(z.string()),
              dates: z.array(z.string()).nullable(),
              registered_from: z.string().nullable(),
              registered_to: z.string().nullable(),
              files: z.int(),
              files_pruned: z.int().describe("Of those, files whose statistics ruled the event out"),
              row_groups: z.int(),
              unreadable: z.array(z.string()).describe("Files that are lost or damaged"),
            }),
            cursor: z.string().nullable(),
          }),
        },
      },
    ],
    refusals: problems("INVALID_PARAMETER", "UNKNOWN_TOPIC", "EVENT_NOT_FOUND", "LAKE_BUSY", "CATALOG_UNAVAILABLE"),
  },
];
