/** What the routes of tables take and answer. */
import * as z from "zod";
import { meaningSchema } from "../../lakehouse/builds/generations/meaning.ts";
import { onTable, onTopics } from "../access/need.ts";
import { type Operation, problems } from "../openapi/operation.ts";
import { date } from "../openapi/times.ts";

/** Below 10^15. */
const versionNumber = z
  .string()
  .regex(/^[1-9]\d{0,14}$/, "expected the number of a version")
  .transform(Number);

export const filesQuery = z.object({
  partition: date.optional().describe("Only the files of this date"),
  version: versionNumber.optional().describe("As of this version; the newest if none is given"),
  cursor: z
    .string()
    .regex(/^\d{1,15}_\d{4}-\d\d-\d\d$/)
    .optional()
    .describe("`next_cursor` of the page before"),
});

export const versionsQuery = z.object({
  partition: date.optional().describe("Only versions that changed this date"),
  cursor: versionNumber.optional().describe("`next_cursor` of the page before"),
  limit: z
    .string()
    .regex(/^(1000|[1-9]\d{0,2})$/, "expected a whole number from 1 to 1000")
    .default("100")
    .transform(Number)
    .describe("Versions of a page"),
});

const tableSummary = z.object({
  table_name: z.string(),
  version: z
    .int()
    .describe("Grows with every publication; while a deploy has the table built again, the one before it"),
  partitions: z.int().describe("As of the version, as is what follows"),
  rows: z.int(),
  committed_at: z.string(),
});

const generation = z.object({
  generation: z.string().describe("Names what the rows and columns mean: partitions of one generation can be compared"),
  meaning: meaningSchema.describe("Digest of the rules that decide the rows, and a topic's columns with their types"),
  since: z.string().describe("When a deploy began it"),
  walk: z
    .object({
      stale: z.int().describe("Partitions that are of an older generation"),
      backfill_id: z.string().nullable().describe("The backfill that builds them; null: its turn has not come"),
      held: z.boolean().describe("Until they are built `version` stays as it was before, and so do the files"),
    })
    .nullable()
    .describe("null: all partitions that can be are of the generation"),
});

const dataFile = z.object({
  partition_date: z.string(),
  added: z.int().describe("The version that it came with"),
  file: z.string().describe("The object's key in the lake's bucket"),
  rows: z.int(),
  bytes: z.int(),
});

const bronzeFile = z.object({
  partition_date: z.string(),
  file: z.string().describe("The object's key in the lake's bucket; one that dates share is with each of them"),
  first_row: z.int().describe("Of this date's rows in the file"),
  rows: z.int().describe("Of this date"),
  bytes: z.int(),
});

const nextCursor = z.string().nullable().describe("Of the next dates, all as of one version; null: there are no more");

const tableVersion = z.object({
  version: z.int(),
  partition_date: z.string().describe("The partition that it changed"),
  kind: z
    .enum(["commit", "rollback", "adopted", "compaction"])
    .describe(
      "`compaction`: the rows of the partition's version before it, in fewer files; `adopted`: published by a deploy from before tables had versions",
    ),
  run_id: z.string(),
  rows: z.int().describe("Of the partition after it"),
  rows_added: z.int(),
  seen: z
    .int()
    .nullable()
    .describe("The highest registration among the bronze files in it; null for tables that are derived"),
  complete_through: z
    .string()
    .nullable()
    .describe("Every event that a buffer took in before this time is in it; null: not known"),
  digest: z.string().describe("Of what the partition was built from"),
  committed_at: z.string(),
  readable: z.boolean().describe("The table can be read as of it; else only its partition can be rolled back to it"),
});

export const tablesOperations: readonly Operation[] = [
  {
    method: "GET",
    path: "/v1/tables",
    tag: "Tables",
    summary: "List the published tables",
    need: onTopics(["read"]),
    responses: [
      {
        status: 200,
        description: "Every published table that the key may read",
        content: {
          "application/json": z.object({
            tables: z.array(
              tableSummary.extend({
                pinned: z.int().describe("Partitions that a rollback holds until they are released"),
                generation: generation.nullable().describe("null: no deploy said yet what the table means"),
              }),
            ),
          }),
        },
      },
    ],
    refusals: problems("CATALOG_UNAVAILABLE"),
  },
  {
    method: "GET",
    path: "/v1/tables/{table}/versions",
    tag: "Tables",
    summary: "The versions of a table, the newest first",
    description:
      "Of the last two hours every version is kept, of the last two days one an hour and partition, of the last thirty one a day, of earlier times the one that stood then.",
    need: onTable("read"),
    path_parameters: { table: "A table's name, see /v1/tables" },
    query: versionsQuery,
    responses: [
      {
        status: 200,
        description: "A page of versions",
        content: {
          "application/json": z.object({
            table_name: z.string(),
            versions: z.array(tableVersion),
            next_cursor: z.string().nullable().describe("null: there are no older ones"),
          }),
        },
      },
    ],
    refusals: problems("INVALID_PARAMETER", "UNKNOWN_TABLE", "CATALOG_UNAVAILABLE"),
  },
  {
    method: "GET",
    path: "/v1/tables/{table}/files",
    tag: "Tables",
    summary: "The data files of a table, as of its newest version or an older one",
    description:
      "Of bronze_<topic>, which has no versions, the files that stand now: each row of bronze is in one of them, whatever compaction left in the folders.",
    need: onTable("read"),
    path_parameters: { table: "A table's name, see /v1/tables" },
    query: filesQuery,
    responses: [
      {
        status: 200,
        description: "The table and its files",
        content: {
          "application/json": z.union([
            tableSummary.extend({ files: z.array(dataFile), next_cursor: nextCursor }),
            z.object({ table_name: z.string(), files: z.array(bronzeFile), next_cursor: nextCursor }),
          ]),
        },
      },
    ],
    refusals: problems("INVALID_PARAMETER", "UNKNOWN_TABLE", "UNKNOWN_VERSION", "CATALOG_UNAVAILABLE"),
  },
  {
    method: "GET",
    path: "/v1/tables/{table}/quarantine",
    tag: "Tables",
    summary: "The files of the rows that quality checks keep out of a table",
    need: onTable("read"),
    path_parameters: { table: "A table's name, see /v1/tables" },
    query: filesQuery,
    responses: [
      {
        status: 200,
        description: "The rows' number and their files; the column _failed_checks says why each is there",
        content: {
          "application/json": z.object({
            table_name: z.string(),
            version: z.int(),
            rows: z.int().describe("Of the page"),
            files: z.array(dataFile),
            next_cursor: nextCursor,
          }),
        },
      },
    ],
    refusals: problems("INVALID_PARAMETER", "UNKNOWN_TABLE", "UNKNOWN_VERSION", "CATALOG_UNAVAILABLE"),
  },
];
