/** What the route of the ledger takes and answers. */
import * as z from "zod";
import { onTopics } from "../access/need.ts";
import { type Operation, problems } from "../openapi/operation.ts";
import { dateOrUtcTime } from "../openapi/times.ts";

export const ledgerQuery = z.object({
  topic: z.string().max(100).optional().describe("Of this topic only; of all that the key may read if absent"),
  from: dateOrUtcTime.optional().describe("Events received from the hour of this time on; a day before `to` if absent"),
  to: dateOrUtcTime
    .optional()
    .describe("Up to this time, the end of its hour included unless it is the hour's start; now if absent"),
  by: z.enum(["hour", "partition"]).default("hour").describe("A row per hour of reception, or per partition date"),
  limit: z
    .string()
    .regex(/^([1-9]|[1-4]\d|50)$/, "expected a number from 1 to 50")
    .default("20")
    .transform(Number)
    .describe("Topics of a page: one has all of its rows in one page"),
  cursor: z.string().max(100).optional().describe("`next_cursor` of the page before"),
});

const events = z.int();
const bronzeTerms = {
  bronze: events.describe("Rows written to bronze"),
  silver: events,
  replayed: events.describe("Of silver and quarantined: refused at first, then brought in by a replay"),
  duplicates: events.describe("Copies that silver removed"),
  superseded: events,
  quarantined: events,
  expired: events,
  unbuilt: events.describe("In bronze, waiting for their partition's next build"),
  difference: events.describe(
    "Events that should be somewhere and are not; below zero: more than there should be. What is on its way is no difference",
  ),
};

const hourRow = z.object({
  topic: z.string(),
  hour: z.string().describe("Of reception"),
  accepted: events.describe("In durable messages that reached their buffers"),
  rejected: events.describe("In the dead letters"),
  buffered: events.describe("Appended, waiting for the next flush"),
  parked: events.describe("Appended, and set aside by a flush since their bytes are no events: whole in R2"),
  ...bronzeTerms,
});

const partitionRow = z.object({ topic: z.string(), partition_date: z.string(), ...bronzeTerms });

const completeness = z.object({
  topic: z.string(),
  date: z.string().describe("Of reception, UTC; of its hours, those that were asked for"),
  received: events.describe("Accepted or refused; an event that was refused and replayed counts once"),
  missing: events.describe("Refused and not replayed, quarantined, parked, expired or nowhere"),
  percent: z.number().describe("The share of those received that is not missing, rounded down to thousandths"),
  promised_percent: z.number().nullable().describe("By the contract; null: it promises none"),
});

const topicMessages = z.object({
  topic: z.string(),
  arrived: z.int().describe("Messages that reached a buffer"),
  in_flight: z.int().describe("Numbers that a gateway gave within the last hours and that did not arrive yet"),
  suspected_lost: z.int().describe("Numbers missing for more than an hour"),
  instances: z.int().describe("Gateway instances heard of"),
  silent_instances: z
    .int()
    .describe("Instances not heard of for an hour: what such a one sent last and lost is what no ledger can know"),
  gaps: z
    .array(z.object({ topic: z.string(), instance: z.string(), hour: z.string(), messages: z.int() }))
    .describe("Suspected losses, the first fifty"),
});

const parkedMessages = z.object({
  topic: z.string().nullable().describe("null: the bytes are no message of ours"),
  cause: z.string().describe("data: the bytes are wrong; system: a fault of the platform"),
  messages: z.int(),
  events: z.int().nullable().describe("null: nobody can say"),
  oldest: z.string().nullable(),
});

export const ledgerOperations: readonly Operation[] = [
  {
    method: "GET",
    path: "/v1/ledger",
    tag: "Ledger",
    summary: "What became of every event, and what is missing",
    description:
      "accepted = bronze + buffered + parked; bronze = silver + duplicates + superseded + quarantined + expired + unbuilt; what is left is `difference`. `messages` is what gateways numbered: in flight, or suspected to be lost. Events answered as `retry` were never stored: only the gateways' logs count them. docs/ledger.md has each term.",
    need: onTopics(["read"]),
    query: ledgerQuery,
    responses: [
      {
        status: 200,
        description: "The ledger",
        content: {
          "application/json": z.object({
            as_of: z.string(),
            from: z.string(),
            to: z.string(),
            by: z.enum(["hour", "partition"]),
            closes: z.boolean().describe("No difference, and no suspected loss, of the topics of this page"),
            rows: z.array(z.union([hourRow, partitionRow])),
            completeness: z.array(completeness),
            messages: z.array(topicMessages),
            parked: z
              .object({
                groups: z.array(parkedMessages),
                truncated: z.boolean().describe("More is parked than was counted"),
              })
              .describe("Of all topics, on the first page"),
            next_cursor: z.string().nullable().describe("Of the next topics; null: there are no more"),
          }),
        },
      },
    ],
    refusals: problems("INVALID_PARAMETER", "UNKNOWN_TOPIC", "CATALOG_UNAVAILABLE"),
  },
];
