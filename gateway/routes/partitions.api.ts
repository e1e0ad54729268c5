/** What the routes of partitions take and answer. */
import * as z from "zod";
import { PARTITION_STATUSES } from "../../lakehouse/builds/planning/machine.ts";
import { onTable, onTopics, type Rights } from "../access/need.ts";
import { type Operation, problems } from "../openapi/operation.ts";
import { DATE_PATTERN, date } from "../openapi/times.ts";

export const PARTITIONS_RIGHTS: Rights = [["read"]];

export const listFields = {
  table: z.string().min(1).max(100).optional().describe("A table's name, or the topic of a silver table"),
  from: date.optional().describe("Dates from this one on"),
  to: date.optional().describe("Dates up to this one, inclusive"),
  cursor: z.string().max(800).optional().describe("`next_cursor` of the page before, with the same parameters"),
} as const;

export const limitOf = (most: string) =>
  z
    .string()
    .regex(/^([1-9]\d?|[1-4]\d\d|500)$/, "expected a number from 1 to 500")
    .default(most);

export const partitionsQuery = z.object({
  ...listFields,
  status: z.enum(PARTITION_STATUSES).optional().describe("Only these"),
  limit: limitOf("100").describe("Partitions of a page"),
});

const partitionFields = {
  table: z.string(),
  domain: z.string().describe("As in `partition_meta`: the topic of a silver table, else the table"),
  layer: z.enum(["silver", "gold"]).nullable().describe("null: of a table that this deploy does not build"),
  partition_date: z.string(),
  status: z.string(),
  waits: z.string().describe("What it waits for, in words"),
  record_count: z.int().describe("Rows that the last successful build wrote"),
  stale: z.boolean().describe("What is published of it was built by an older contract or model"),
  retry_count: z.int(),
  revisions: z.int().describe("How often it was published again because events came after it had closed"),
  steps: z
    .object({
      done: z.int().describe("Of the build that is under way, or that a check holds back; 0: none is"),
      unread_rows: z.int().nullable().describe("Rows of bronze that no step has read; null: it reads other tables"),
      attempts: z.int().describe("Builders that began the present step; more than one: the others are gone"),
      splits: z.int().describe("How often the present step was halved since its builders were gone"),
    })
    .nullable()
    .describe("null: the table is built at once"),
  error_message: z.string().nullable(),
  updated_at: z.string().nullable().describe("When its state last changed"),
  processed_at: z.string().nullable().describe("When it was last published"),
} as const;

export const runShape = z.object({
  run_id: z.string(),
  table: z.string(),
  domain: z.string(),
  partition_date: z.string(),
  kind: z.enum(["build", "compaction"]).describe("compaction: the same rows in fewer files"),
  status: z.enum(["RUNNING", "DONE", "FAILED", "LOST"]),
  fence: z.int().describe("Grows with every run of the partition"),
  started_at: z.string(),
  finished_at: z.string().nullable(),
  rows_in: z.int().nullable(),
  rows_out: z.int().nullable(),
  error_message: z.string().nullable(),
});

export const checkShape = z.object({
  run_id: z.string(),
  table: z.string(),
  partition_date: z.string(),
  layer: z.string(),
  check_name: z.string(),
  metric: z.string(),
  measured: z.number().nullable().describe("null: the check's query gave no number"),
  bound: z.record(z.string(), z.unknown()).describe('As the contract writes it: `{"mustBe": 0}`'),
  passed: z.boolean(),
  on_fail: z.string(),
  failing_rows: z.array(z.int()).describe("The first twenty, as row numbers in `candidate`"),
  candidate: z.string().nullable().describe("The object that the failing rows stand in"),
  problem: z.string().nullable().describe("Why nothing was measured, and what to do about it"),
  checked_at: z.string(),
});

export const waitingShape = z.object({
  table: z.string(),
  partition_date: z.string(),
  layer: z.string(),
  check_name: z.string(),
  metric: z.string(),
  bound: z.record(z.string(), z.unknown()).describe('As the contract writes it: `{"mustBe": 0}`'),
  on_fail: z.string(),
  judged_at: z.string().describe("From then on, as soon as what the partition reads is built"),
});

const decisionShape = z.object({
  decision_id: z.string(),
  action: z.enum(["accept", "quarantine", "discard"]),
  reason: z.string(),
  decided_by: z.string().describe("The id of the key"),
  decided_at: z.string(),
  run_id: z.string().describe("The run that was held back"),
  checks: z.array(z.object({ layer: z.string(), check_name: z.string(), measured: z.number().nullable() })),
});

const partitionDetail = z.object({
  ...partitionFields,
  remedy: z.string().nullable().describe("What a person can do; null: nothing is needed"),
  closes_at: z.string().nullable().describe("From then on new events are late; null: it never closes"),
  created_at: z.string().nullable(),
  retries_left: z.int(),
  lease: z
    .object({ run_id: z.string(), since: z.string().nullable(), until: z.string() })
    .nullable()
    .describe("The run that builds it"),
  inputs: z.object({
    changes: z.int().describe("How often its inputs changed"),
    changes_built: z.int().describe("How much of that the last build saw"),
    files: z.int().nullable().describe("Of a topic's silver: bronze files as flushes wrote them"),
    rows: z.int().nullable().describe("Rows of these"),
    sealed: z.boolean().describe("Its bronze is retired: it cannot be built again"),
    tables: z
      .array(z.object({ table: z.string(), version: z.int().nullable() }))
      .describe("Of a gold table: what it reads, as published now"),
    pins: z
      .array(z.object({ table: z.string(), version: z.int() }))
      .describe("Of a model's date that has closed: the versions of tables that it looks things up in, for good"),
  }),
  published: z
    .object({
      version: z.int(),
      run_id: z.string(),
      generation: z.string().nullable().describe("Of its table, by which it was built; null: not known"),
      committed_at: z.string(),
      rows: z.int(),
      files: z.int(),
      bytes: z.int(),
    })
    .nullable()
    .describe("null: nothing is published of it"),
  backfill: z
    .object({ backfill_id: z.string(), state: z.string() })
    .nullable()
    .describe("The open backfill that it is part of"),
  checks: z.array(checkShape).describe("Of the last run that came to its checks"),
  waiting_checks: z.array(waitingShape).describe("Those that are judged once the partition has closed, until they are"),
  runs: z.array(runShape).describe("The last twenty, the newest first"),
  decisions: z.array(decisionShape).describe("What people decided of it, the last first"),
});

export const decisionBody = z.strictObject({
  action: z
    .enum(["accept", "quarantine", "discard"])
    .describe("accept: publish it in spite of the checks; quarantine: without the rows that fail; discard: not at all"),
  reason: z.string().trim().min(1).max(1_000).describe("Why, for those who read the table later"),
});

export const PARTITION_PATH = {
  table: "A table's name, or the topic of a silver table",
  date: { description: "The partition's date", pattern: DATE_PATTERN },
} as const;

export const partitionsOperations: readonly Operation[] = [
  {
    method: "GET",
    path: "/v1/partitions",
    tag: "Builds",
    summary: "List partitions and their states",
    description:
      "The newest dates first. `counts` say how many partitions of the dates and the table stand at which state, whatever `status` asks for; they come with the first page, and so does `stale`. DONE counts at most 100,000.",
    need: onTopics(...PARTITIONS_RIGHTS),
    query: partitionsQuery,
    responses: [
      {
        status: 200,
        description: "A page",
        content: {
          "application/json": z.object({
            counts: z.record(z.string(), z.int()).nullable(),
            stale: z
              .record(z.string(), z.int())
              .nullable()
              .describe(
                "By table, of those that a deploy has built again: how many partitions are still to come, of all dates",
              ),
            partitions: z.array(z.object(partitionFields)),
            next_cursor: z.string().nullable(),
          }),
        },
      },
    ],
    refusals: problems("INVALID_PARAMETER", "UNKNOWN_TABLE", "CATALOG_UNAVAILABLE"),
  },
  {
    method: "GET",
    path: "/v1/partitions/{table}/{date}",
    tag: "Builds",
    summary: "One partition: why it waits, its inputs, runs, checks and what is published",
    need: onTable("read"),
    path_parameters: PARTITION_PATH,
    responses: [{ status: 200, description: "The partition", content: { "application/json": partitionDetail } }],
    refusals: problems("INVALID_PARAMETER", "UNKNOWN_TABLE", "UNKNOWN_PARTITION", "CATALOG_UNAVAILABLE"),
  },
  {
    method: "POST",
    path: "/v1/partitions/{table}/{date}/decisions",
    tag: "Builds",
    summary: "End a partition that a check holds back",
    description:
      "`accept`: it is built again and published, although the checks that held it back fail, as long as they measure what they measured then. `quarantine`: from now on the rows that fail these checks go to the table's quarantine, and the others are published. `discard`: what was published before stays, and nothing more is tried until there is new input. Who decided, when and why is kept and shown.",
    need: onTable("admin"),
    path_parameters: PARTITION_PATH,
    body: { description: "What, and why", content: { "application/json": decisionBody } },
    responses: [
      {
        status: 201,
        description: "The decision; a build follows within a minute, unless it was discarded",
        content: { "application/json": decisionShape.extend({ table: z.string(), partition_date: z.string() }) },
      },
    ],
    refusals: problems(
      "INVALID_PARAMETER",
      "UNKNOWN_TABLE",
      "UNKNOWN_PARTITION",
      "NOTHING_TO_DECIDE",
      "BODY_TOO_LARGE",
      "CATALOG_UNAVAILABLE",
    ),
  },
];
