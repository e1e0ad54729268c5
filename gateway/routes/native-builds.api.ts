/** What native builders ask, and are answered: the shapes are `lakehouse/builds/native/wire.ts`. */
import * as z from "zod";
import {
  commitAnswerSchema,
  commitRequestSchema,
  failRequestSchema,
  joinRequestSchema,
  leaseAnswerSchema,
  leaseRequestSchema,
  OUTPUT_NUMBER,
  openAnswerSchema,
  outputAnswerSchema,
  partQuerySchema,
  renewRequestSchema,
} from "../../lakehouse/builds/native/wire.ts";
import { platform } from "../access/need.ts";
import { type Operation, problems } from "../openapi/operation.ts";
import { RANGE } from "./byte-range.ts";

export const inputQuery = z.object({
  file: z.string().min(1).max(1_024).describe("A file of the run's order"),
});

export const inputHeaders = z.object({
  Range: z.string().regex(RANGE, "expected one range, such as bytes=0-1023").optional().describe("One range of bytes"),
  "If-Match": z.string().max(200).optional().describe("The ETag of an earlier answer: another object is refused"),
});

const need = platform("build");
const tag = "Native builders";
const RUN = { run: "The run of the builder's order" };
const FILE = { ...RUN, n: { description: "The number of the file, from 0", pattern: OUTPUT_NUMBER } };
const NO_CONTENT = { status: 204, description: "Done", content: {} };
const parquet = { "application/vnd.apache.parquet": z.string().describe("Bytes") };

export const nativeBuildsOperations: readonly Operation[] = [
  {
    method: "POST",
    path: "/v1/builds/lease",
    tag,
    summary: "Take the next partition that waits for a native builder",
    description:
      "The order carries all that the build needs: SQL, columns, the files of its inputs, and checks. The lease stands for 45 seconds after each renewal. A builder that asks while its run stands gets the same order again. With nothing to do the answer says after how long to ask again.",
    need,
    body: { description: "Who asks", content: { "application/json": leaseRequestSchema } },
    responses: [
      { status: 200, description: "An order, or nothing to do", content: { "application/json": leaseAnswerSchema } },
    ],
    refusals: problems("INVALID_PARAMETER", "BUILDER_MISMATCH", "BODY_TOO_LARGE", "LAKE_UNAVAILABLE"),
  },
  {
    method: "POST",
    path: "/v1/builds/runs/{run}/renew",
    tag,
    summary: "Keep the lease of a run, and say how far its build is",
    need,
    path_parameters: RUN,
    body: { description: "Where the build is", content: { "application/json": renewRequestSchema } },
    responses: [NO_CONTENT],
    refusals: problems("INVALID_PARAMETER", "UNKNOWN_RUN", "LEASE_LOST", "BODY_TOO_LARGE", "CATALOG_UNAVAILABLE"),
  },
  {
    method: "GET",
    path: "/v1/builds/runs/{run}/inputs",
    tag,
    summary: "Read a file that the run's order names, or a range of it",
    need,
    path_parameters: RUN,
    query: inputQuery,
    headers: inputHeaders,
    responses: [
      { status: 200, description: "The file", content: parquet },
      { status: 206, description: "The range", content: parquet },
    ],
    refusals: problems(
      "INVALID_PARAMETER",
      "UNKNOWN_RUN",
      "LEASE_LOST",
      "NOT_AN_INPUT",
      "INPUT_GONE",
      "INPUT_CHANGED",
      "RANGE_NOT_SATISFIABLE",
      "CATALOG_UNAVAILABLE",
      "LAKE_UNAVAILABLE",
    ),
  },
  {
    method: "PUT",
    path: "/v1/builds/runs/{run}/outputs/{n}",
    tag,
    summary: "Upload a file of the run's result, or a part of one",
    description:
      "At most 64 MB, with Content-Length; a longer file is opened, sent in parts (`upload` and `part`) and joined. A file that stands is not written again: the same bytes sent twice are answered alike.",
    need,
    path_parameters: FILE,
    query: partQuerySchema,
    body: { description: "The bytes", content: parquet },
    responses: [{ status: 200, description: "What stands", content: { "application/json": outputAnswerSchema } }],
    refusals: problems(
      "INVALID_PARAMETER",
      "UNKNOWN_RUN",
      "LEASE_LOST",
      "OUTPUT_EXISTS",
      "BODY_TOO_LARGE",
      "CATALOG_UNAVAILABLE",
      "LAKE_UNAVAILABLE",
    ),
  },
  {
    method: "POST",
    path: "/v1/builds/runs/{run}/outputs/{n}/open",
    tag,
    summary: "Begin a file that comes in parts",
    need,
    path_parameters: FILE,
    responses: [{ status: 201, description: "The upload", content: { "application/json": openAnswerSchema } }],
    refusals: problems("INVALID_PARAMETER", "UNKNOWN_RUN", "LEASE_LOST", "CATALOG_UNAVAILABLE", "LAKE_UNAVAILABLE"),
  },
  {
    method: "POST",
    path: "/v1/builds/runs/{run}/outputs/{n}/join",
    tag,
    summary: "Make a file of its parts",
    need,
    path_parameters: FILE,
    body: { description: "The upload and its parts", content: { "application/json": joinRequestSchema } },
    responses: [{ status: 200, description: "The file", content: { "application/json": outputAnswerSchema } }],
    refusals: problems(
      "INVALID_PARAMETER",
      "UNKNOWN_RUN",
      "LEASE_LOST",
      "BODY_TOO_LARGE",
      "CATALOG_UNAVAILABLE",
      "LAKE_UNAVAILABLE",
    ),
  },
  {
    method: "POST",
    path: "/v1/builds/runs/{run}/commit",
    tag,
    summary: "Publish what the run has uploaded",
    description:
      "Each file is looked at first: its bytes, and in its footer rows, columns, types, row groups and the dates of the partition column. The checks are judged by what the builder measured. A run that has ended answers as it ended.",
    need,
    path_parameters: RUN,
    body: { description: "Files and measures", content: { "application/json": commitRequestSchema } },
    responses: [{ status: 200, description: "How it ended", content: { "application/json": commitAnswerSchema } }],
    refusals: problems(
      "INVALID_PARAMETER",
      "UNKNOWN_RUN",
      "LEASE_LOST",
      "BODY_TOO_LARGE",
      "CATALOG_UNAVAILABLE",
      "LAKE_BUSY",
      "LAKE_UNAVAILABLE",
    ),
  },
  {
    method: "POST",
    path: "/v1/builds/runs/{run}/fail",
    tag,
    summary: "End a run that has nothing to publish, or give its partition back",
    need,
    path_parameters: RUN,
    body: { description: "Why", content: { "application/json": failRequestSchema } },
    responses: [NO_CONTENT],
    refusals: problems(
      "INVALID_PARAMETER",
      "UNKNOWN_RUN",
      "LEASE_LOST",
      "BODY_TOO_LARGE",
      "CATALOG_UNAVAILABLE",
      "LAKE_UNAVAILABLE",
    ),
  },
];
