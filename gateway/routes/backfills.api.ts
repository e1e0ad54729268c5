/** What the routes of backfills take and answer. */
import * as z from "zod";
import { onTopics, type Rights } from "../access/need.ts";
import { type Operation, problems } from "../openapi/operation.ts";
import { date } from "../openapi/times.ts";
import { limitOf, listFields } from "./partitions.api.ts";

export const BACKFILL_RIGHTS: Rights = [["admin"]];
export const BACKFILL_LIST_RIGHTS: Rights = [["read"]];

export const backfillBody = z.strictObject({
  table: z.string().min(1).max(100).describe("A table's name, or the topic of a silver table"),
  from: date.describe("The first date"),
  to: date.describe("The last date, inclusive"),
  reprocess: z
    .enum(["none", "failed", "completed"])
    .default("none")
    .describe("none: what was never built; failed: that, and what failed; completed: all"),
  layer: z
    .enum(["silver", "gold"])
    .optional()
    .describe(
      "silver: silver from bronze, and what reads it follows; gold: gold alone, of a silver table every gold table that reads it. The table's own if absent",
    ),
  max_active_runs: z.int().min(1).max(100).default(4).describe("Partitions that are built at a time"),
  dry_run: z.boolean().default(false).describe("true: says what would be built"),
});

const backfillFields = {
  table: z.string(),
  layer: z.enum(["silver", "gold"]),
  from: z.string(),
  to: z.string(),
  reprocess: z.enum(["none", "failed", "completed"]),
  max_active_runs: z.int(),
} as const;

const partitionShape = z.object({ table: z.string(), partition_date: z.string(), status: z.string().nullable() });

const backfillShape = z.object({
  backfill_id: z.string(),
  ...backfillFields,
  state: z
    .enum(["RUNNING", "CANCELLING", "CANCELLED", "DONE"])
    .describe("CANCELLING: what is under way ends; DONE: nothing is left, see `counts.failed`"),
  counts: z.object({
    total: z.int(),
    waiting: z.int(),
    started: z.int(),
    done: z.int(),
    failed: z.int(),
    cancelled: z.int(),
  }),
  created_by: z.string().describe("The id of the key"),
  created_at: z.string(),
  ended_at: z.string().nullable(),
});

const backfillDetail = backfillShape.extend({
  started: z.array(partitionShape.extend({ started_at: z.string().nullable() })).describe("Under way, at most 100"),
  failed: z.array(partitionShape.extend({ error_message: z.string().nullable() })).describe("At most 100"),
});

export const backfillsQuery = z.object({
  table: listFields.table,
  cursor: listFields.cursor,
  limit: limitOf("20").describe("Backfills of a page"),
});

const PATH = { backfill_id: "A backfill's id, see GET /v1/backfills" };

export const backfillsOperations: readonly Operation[] = [
  {
    method: "POST",
    path: "/v1/backfills",
    tag: "Builds",
    summary: "Have partitions of a time built, or built again",
    description:
      "The newest dates first, at most `max_active_runs` at a time, behind the day's work. Builds are deterministic: the same inputs give the same rows, and no revision is counted. Partitions whose bronze is retired are refused with BRONZE_RETIRED and stay as they are. Partitions that are DEAD or FAILED begin again with all their retries.",
    need: onTopics(...BACKFILL_RIGHTS),
    body: { description: "Which partitions, and how", content: { "application/json": backfillBody } },
    responses: [
      {
        status: 200,
        description: "A dry run, or nothing to build: what would be built",
        content: {
          "application/json": z.object({
            dry_run: z.boolean(),
            backfill_id: z.null(),
            ...backfillFields,
            partitions: z.array(partitionShape),
            refused: z.array(
              z.object({
                table: z.string(),
                partition_date: z.string(),
                code: z.literal("BRONZE_RETIRED"),
                detail: z.string(),
              }),
            ),
            left: z.int().describe("Partitions of the time that `reprocess` does not ask for"),
            tables: z.array(z.string()).describe("Whose partitions are built"),
            followers: z.array(z.string()).describe("What reads them, and follows by itself"),
          }),
        },
      },
      {
        status: 201,
        description: "The backfill, whose partitions begin within a minute",
        content: {
          "application/json": backfillDetail.extend({
            dry_run: z.literal(false),
            refused: z.array(z.object({ table: z.string(), partition_date: z.string() }).loose()),
            left: z.int(),
            tables: z.array(z.string()),
            followers: z.array(z.string()),
          }),
        },
      },
    ],
    refusals: problems("INVALID_PARAMETER", "UNKNOWN_TABLE", "BODY_TOO_LARGE", "CATALOG_UNAVAILABLE"),
  },
  {
    method: "GET",
    path: "/v1/backfills",
    tag: "Builds",
    summary: "List backfills, the newest first",
    need: onTopics(...BACKFILL_LIST_RIGHTS),
    query: backfillsQuery,
    responses: [
      {
        status: 200,
        description: "A page",
        content: {
          "application/json": z.object({ backfills: z.array(backfillShape), next_cursor: z.string().nullable() }),
        },
      },
    ],
    refusals: problems("INVALID_PARAMETER", "UNKNOWN_TABLE", "CATALOG_UNAVAILABLE"),
  },
  {
    method: "GET",
    path: "/v1/backfills/{backfill_id}",
    tag: "Builds",
    summary: "A backfill's progress",
    need: onTopics(...BACKFILL_LIST_RIGHTS),
    path_parameters: PATH,
    responses: [{ status: 200, description: "The backfill", content: { "application/json": backfillDetail } }],
    refusals: problems("UNKNOWN_BACKFILL", "CATALOG_UNAVAILABLE"),
  },
  {
    method: "POST",
    path: "/v1/backfills/{backfill_id}/cancel",
    tag: "Builds",
    summary: "Stop a backfill: what is under way ends, nothing more is started",
    need: onTopics(...BACKFILL_RIGHTS),
    path_parameters: PATH,
    responses: [{ status: 200, description: "The backfill", content: { "application/json": backfillDetail } }],
    refusals: problems("UNKNOWN_BACKFILL", "BACKFILL_STATE", "CATALOG_UNAVAILABLE"),
  },
  {
    method: "POST",
    path: "/v1/backfills/{backfill_id}/resume",
    tag: "Builds",
    summary: "Go on with what was cancelled or failed",
    need: onTopics(...BACKFILL_RIGHTS),
    path_parameters: PATH,
    responses: [{ status: 200, description: "The backfill", content: { "application/json": backfillDetail } }],
    refusals: problems("UNKNOWN_BACKFILL", "BACKFILL_STATE", "CATALOG_UNAVAILABLE"),
  },
];
