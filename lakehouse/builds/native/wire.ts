/**
 * What a native builder and the platform say to each other over HTTPS: the shapes of `/v1/builds/*`. The work order carries all that a
 * build needs (SQL, columns, inputs, checks), so a builder has no checkout of the contracts and refuses only another protocol or another
 * DuckDB. Shared by the gateway's routes and by `builder/`, which imports nothing else of the platform.
 */
import * as z from "zod";

/** Grows with every change that one side would misread. Both sides refuse another one. */
export const BUILDER_PROTOCOL = 1;

/** A lease stands so long without a renewal: what a killed builder holds up. */
export const NATIVE_LEASE_MS = 45_000;
/** A builder renews its lease so often, whatever it does meanwhile. */
export const RENEW_EVERY_MS = 10_000;
/** Bytes of one request's body at the most: what a Worker takes on every plan is 100 MB. Larger files go up in parts. */
export const UPLOAD_PART_BYTES = 64 * 1024 * 1024;
/** Parts of a larger file are at least so long, but for the last one, and all of one length. */
export const SMALLEST_PART_BYTES = 5 * 1024 * 1024;
/** Files of one output at the most: before a commit the platform looks at each, and a request of a Worker has a thousand such looks. */
export const MAX_OUTPUT_FILES = 800;
/** Their numbers, as addresses have them. */
export const OUTPUT_NUMBER = /^(0|[1-9]\d?|[1-7]\d\d)$/;

/** Who asks for work. */
export const builderSchema = z.strictObject({
  /** Random for each process. */
  id: z.uuid(),
  /** For people: the host's name, or what `--name` says. */
  name: z.string().min(1).max(100),
  /** DuckDB's own version, as in `v1.5.6`. */
  duckdb: z.string().max(40),
  memory_bytes: z.int().positive(),
  threads: z.int().positive(),
});
export type Builder = z.infer<typeof builderSchema>;

/** `POST /v1/builds/lease`. */
export const leaseRequestSchema = z.strictObject({ protocol: z.int(), builder: builderSchema });
export type LeaseRequestBody = z.infer<typeof leaseRequestSchema>;

/** `type` is DuckDB's name of the type, as in `DECIMAL(18,2)` or `TIMESTAMP WITH TIME ZONE`. */
const columnSchema = z.strictObject({ name: z.string(), type: z.string() });
export type WireColumn = z.infer<typeof columnSchema>;

const inputColumnSchema = columnSchema.extend({
  /** Of a column that is never NULL and that older files lack: what their rows have instead, as an SQL literal. Absent: NULL. */
  missing: z.string().optional(),
});

const inputFileSchema = z.strictObject({
  /** The object's key: what `GET /v1/builds/runs/{run}/inputs?file=` takes. */
  file: z.string(),
  bytes: z.int().nonnegative(),
  rows: z.int().nonnegative(),
});

/** A table that the SQL reads: a view of that name over the files. A file may lack columns that came later (NULL), or have narrower types. */
const inputSchema = z.strictObject({
  table: z.string(),
  /** All that the SQL may name, in the table's order, of the types that it was compiled against. */
  columns: z.array(inputColumnSchema),
  files: z.array(inputFileSchema),
});
export type WireInput = z.infer<typeof inputSchema>;

const outputSchema = z.strictObject({
  /** What the SQL gives, in this order, cast to these types. */
  columns: z.array(columnSchema),
  /** The rows of the result that are written; null: all of them. A model that reads other dates too makes rows of its neighbours. */
  partition: z.strictObject({ column: z.string(), date: z.string() }).nullable(),
  /** Rows are in this order within a file: ascending, NULLs last. */
  order: z.array(z.string()),
  row_group_rows: z.int().positive(),
  /** Compressed bytes after which a file ends. */
  file_bytes: z.int().positive(),
  /** Key and value pairs of each file's footer. */
  metadata: z.record(z.string(), z.string()),
  /** More rows than these are a failure of the model. */
  max_rows: z.int().positive().nullable(),
});

/**
 * A check over the rows that were written, which stand as the view `name`. The SQL gives one row: of library checks the columns `rows`,
 * those that count, and `of`, all; of a check that is a query its one number, or NULL.
 */
const checkSchema = z.strictObject({
  id: z.string(),
  kind: z.enum(["library", "query"]),
  sql: z.string(),
});
export type WireCheck = z.infer<typeof checkSchema>;

export const workOrderSchema = z.strictObject({
  protocol: z.literal(BUILDER_PROTOCOL),
  /** The run that the lease is of: it stands in the addresses of all further calls. */
  run: z.string(),
  renew_every_ms: z.int().positive(),
  /** The DuckDB that the models were compiled with. */
  duckdb: z.string(),
  table: z.string(),
  date: z.string(),
  sql: z.string(),
  inputs: z.array(inputSchema),
  output: outputSchema,
  checks: z.array(checkSchema),
});
export type WorkOrder = z.infer<typeof workOrderSchema>;

/** The answer to a lease request. A builder that asks while its run stands (the answer was lost) gets the same order again. */
export const leaseAnswerSchema = z.union([
  z.strictObject({ work: workOrderSchema }),
  /** Nothing waits: ask again after so long. */
  z.strictObject({ work: z.null(), poll_after_ms: z.int().positive() }),
]);
export type LeaseAnswer = z.infer<typeof leaseAnswerSchema>;

export const BUILD_PHASES = ["fetch", "run", "check", "upload"] as const;

/** `POST /v1/builds/runs/{run}/renew`: where the build is, for who looks at the partition. The answer is empty, or LEASE_LOST. */
export const renewRequestSchema = z.strictObject({
  phase: z.enum(BUILD_PHASES),
  /** From 0 to 1, of the phase; null: not known. */
  done: z.number().min(0).max(1).nullable(),
});
export type RenewRequest = z.infer<typeof renewRequestSchema>;

/**
 * `POST /v1/builds/runs/{run}/fail`. `released`: the builder was told to stop, and the partition waits for another one as it did. `data`: the
 * same inputs fail the same way. `system`: tried again.
 */
export const failRequestSchema = z.strictObject({
  class: z.enum(["released", "data", "system"]),
  /** What was wrong, and what to do. It quotes no values of rows. */
  message: z.string().min(1).max(2_000),
});
export type FailRequest = z.infer<typeof failRequestSchema>;

/**
 * `PUT /v1/builds/runs/{run}/outputs/{n}`: the bytes of file n, counted from 0, with a Content-Length of at most UPLOAD_PART_BYTES; its key
 * follows from the run and n. A file that stands is not written again: the same bytes sent twice are answered alike.
 */
export const outputAnswerSchema = z.strictObject({ bytes: z.int().nonnegative(), etag: z.string() });

/** `POST /v1/builds/runs/{run}/outputs/{n}/open`, without a body: a file that is longer than one request may be goes up in parts. */
export const openAnswerSchema = z.strictObject({ upload: z.string() });

/** `PUT /v1/builds/runs/{run}/outputs/{n}?upload=&part=`: the bytes of one part, counted from 1; answered by `outputAnswerSchema`. */
export const partQuerySchema = z.object({
  upload: z.string().min(1).max(2_000).optional().describe("Of a file in parts: as it was opened"),
  part: z
    .string()
    .regex(/^[1-9]\d{0,3}$/, "expected the number of a part, from 1")
    .optional()
    .describe("The number of the part, from 1"),
});

/** `POST /v1/builds/runs/{run}/outputs/{n}/join`: the parts become the file; answered by `outputAnswerSchema`. */
export const joinRequestSchema = z.strictObject({
  upload: z.string().max(2_000),
  parts: z
    .array(z.strictObject({ part: z.int().positive(), etag: z.string().max(200) }))
    .min(1)
    .max(1_000),
});
export type JoinRequest = z.infer<typeof joinRequestSchema>;

const measureSchema = z.strictObject({
  id: z.string(),
  /** Of a library check: rows that count, of all; of a query: `value`, null where it gave no finite number (`problem` says why). */
  rows: z.int().nonnegative().optional(),
  of: z.int().nonnegative().optional(),
  value: z.number().nullable().optional(),
  problem: z.string().max(500).optional(),
});
export type WireMeasure = z.infer<typeof measureSchema>;

/** `POST /v1/builds/runs/{run}/commit`. The files are 0 to n-1 of the outputs; the platform looks at each before it believes anything. */
export const commitRequestSchema = z.strictObject({
  files: z
    .array(z.strictObject({ bytes: z.int().positive(), rows: z.int().nonnegative() }))
    .min(1)
    .max(MAX_OUTPUT_FILES),
  measures: z.array(measureSchema),
});
export type CommitRequest = z.infer<typeof commitRequestSchema>;

/** `failed`: a check held the rows back, or the files are not what they should be; `message` says which. */
export const commitAnswerSchema = z.strictObject({
  outcome: z.enum(["published", "failed"]),
  message: z.string().nullable(),
});
export type CommitAnswer = z.infer<typeof commitAnswerSchema>;
