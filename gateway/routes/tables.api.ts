/** What the routes of tables take and answer. */
import * as z from "zod";
import { onTable, onTopics } from "../access/need.ts";
import { type Operation, problems } from "../openapi/operation.ts";
import { date } from "../openapi/times.ts";

export const filesQuery = z.object({
  partition: date.optional().describe("Only the files of this date"),
});

const tableSummary = z.object({
  table_name: z.string(),
  version: z.int().describe("Grows with every publication"),
  partitions: z.int(),
  rows: z.int(),
  committed_at: z.string(),
});

const dataFile = z.object({
  partition_date: z.string(),
  snapshot_id: z.string(),
  file: z.string().describe("The object's key in the lake's bucket"),
  rows: z.int(),
  bytes: z.int(),
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
        content: { "application/json": z.object({ tables: z.array(tableSummary) }) },
      },
    ],
    refusals: problems("CATALOG_UNAVAILABLE"),
  },
  {
    method: "GET",
    path: "/v1/tables/{table}/files",
    tag: "Tables",
    summary: "The data files of a table that are live",
    need: onTable("read"),
    path_parameters: { table: "A table's name, see /v1/tables" },
    query: filesQuery,
    responses: [
      {
        status: 200,
        description: "The table and its files",
        content: { "application/json": tableSummary.extend({ files: z.array(dataFile) }) },
      },
    ],
    refusals: problems("INVALID_PARAMETER", "UNKNOWN_TABLE", "CATALOG_UNAVAILABLE"),
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
          "application/json": z.object({ table_name: z.string(), rows: z.int(), files: z.array(dataFile) }),
        },
      },
    ],
    refusals: problems("INVALID_PARAMETER", "UNKNOWN_TABLE", "CATALOG_UNAVAILABLE"),
  },
];
