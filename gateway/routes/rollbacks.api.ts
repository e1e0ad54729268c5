/** What rollback and release of a table take and answer. */
import * as z from "zod";
import { onTable } from "../access/need.ts";
import { type Operation, problems } from "../openapi/operation.ts";
import { date } from "../openapi/times.ts";

export const rollbackBody = z.object({
  version: z
    .int()
    .positive()
    .describe("The files are made those of this version, one that is `readable` or of the partition"),
  partition: date.optional().describe("Only this date; without it, every date that was committed since"),
  reason: z.string().min(1).max(1_000).describe("Why; kept until the release, with the key's id"),
});

export const releaseBody = z.object({
  partition: date.optional().describe("Only this date; without it, all of the table"),
});

export const rollbacksOperations: readonly Operation[] = [
  {
    method: "POST",
    path: "/v1/tables/{table}/rollback",
    tag: "Tables",
    summary: "Make a table, or one partition of it, what it was as of an older version",
    description:
      "A new version with the files, the counts and the digest of the old one, published at once. The partition is pinned: no build changes it until it is released. What reads the table is built again. A build under way loses its lease. At most 50 partitions a call: call again while `more`.",
    need: onTable("admin"),
    path_parameters: { table: "A table's name, see /v1/tables" },
    body: { description: "To which version, and why", content: { "application/json": rollbackBody } },
    responses: [
      {
        status: 200,
        description: "The partitions that were rolled back",
        content: {
          "application/json": z.object({
            table_name: z.string(),
            version: z.int(),
            partitions: z.array(
              z.object({
                partition_date: z.string(),
                to: z
                  .int()
                  .nullable()
                  .describe("The version of the partition that it shows; null: it had none, and is empty"),
                rows: z.int(),
              }),
            ),
            more: z.boolean().describe("Others are left: call again"),
          }),
        },
      },
    ],
    refusals: problems(
      "INVALID_PARAMETER",
      "UNKNOWN_TABLE",
      "UNKNOWN_VERSION",
      "BODY_TOO_LARGE",
      "CATALOG_UNAVAILABLE",
    ),
  },
  {
    method: "POST",
    path: "/v1/tables/{table}/release",
    tag: "Tables",
    summary: "Let builds have what a rollback pinned",
    description: "The partition is built within a minute or two, with all of its inputs.",
    need: onTable("admin"),
    path_parameters: { table: "A table's name, see /v1/tables" },
    body: { description: "All of the table, or one date", content: { "application/json": releaseBody } },
    responses: [
      {
        status: 200,
        description: "The partitions that were pinned; none if none was",
        content: {
          "application/json": z.object({
            table_name: z.string(),
            released: z.array(
              z.object({
                partition_date: z.string(),
                version: z.int(),
                reason: z.string(),
                pinned_at: z.string(),
              }),
            ),
          }),
        },
      },
    ],
    refusals: problems("INVALID_PARAMETER", "UNKNOWN_TABLE", "BODY_TOO_LARGE", "CATALOG_UNAVAILABLE"),
  },
];
