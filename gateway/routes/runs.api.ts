/** What the routes of runs and of their checks take and answer. */
import * as z from "zod";
import { onTopics, type Rights } from "../access/need.ts";
import { type Operation, problems } from "../openapi/operation.ts";
import { date } from "../openapi/times.ts";
import { checkShape, limitOf, listFields, runShape, waitingShape } from "./partitions.api.ts";

export const RUNS_RIGHTS: Rights = [["read"]];

const runFields = {
  table: listFields.table,
  date: date.optional().describe("Only of the partitions of this date"),
  cursor: listFields.cursor,
} as const;

export const runsQuery = z.object({
  ...runFields,
  status: z
    .enum(["RUNNING", "DONE", "FAILED", "LOST"])
    .optional()
    .describe("LOST: its builder vanished, and another took over"),
  limit: limitOf("50").describe("Runs of a page"),
});

export const qualityQuery = z.object({
  ...runFields,
  passed: z
    .enum(["true", "false"], { error: "expected true or false" })
    .optional()
    .describe("false: those that failed"),
  check: z.string().min(1).max(200).optional().describe("A check's name"),
});

export const runsOperations: readonly Operation[] = [
  {
    method: "GET",
    path: "/v1/runs",
    tag: "Builds",
    summary: "List the runs of builds",
    description:
      "Those that hold a lease stand on the first page, then those that ended, the last first. A page may be short, even empty, and have a next one. Runs are kept for thirty days, and of each partition the last of each outcome for good.",
    need: onTopics(...RUNS_RIGHTS),
    query: runsQuery,
    responses: [
      {
        status: 200,
        description: "A page",
        content: {
          "application/json": z.object({ runs: z.array(runShape), next_cursor: z.string().nullable() }),
        },
      },
    ],
    refusals: problems("INVALID_PARAMETER", "UNKNOWN_TABLE", "CATALOG_UNAVAILABLE"),
  },
  {
    method: "GET",
    path: "/v1/quality",
    tag: "Builds",
    summary: "List what quality checks measured",
    description:
      "Run by run, those that ended last first. A page tells of whole runs: it may be empty and have a next one, if the runs that were looked at had no such check.",
    need: onTopics(...RUNS_RIGHTS),
    query: qualityQuery,
    responses: [
      {
        status: 200,
        description: "A page",
        content: {
          "application/json": z.object({
            checks: z.array(checkShape),
            waiting: z
              .array(waitingShape)
              .nullable()
              .describe(
                "Checks of published partitions, the newest dates first, that are judged once the partition has closed; of 200 partitions at the most, with the first page, unless `passed` is given",
              ),
            next_cursor: z.string().nullable(),
          }),
        },
      },
    ],
    refusals: problems("INVALID_PARAMETER", "UNKNOWN_TABLE", "CATALOG_UNAVAILABLE"),
  },
];
