/**
 * `/v1/builds/*`: a native builder takes partitions, reads their inputs, writes its outputs and commits. It never names a key: what it may
 * read stands in its order, and what it writes follows from its run. Bodies of files pass through, and are held by nobody.
 */
import { commitNative, endedAs, endNative, LeaseLostError } from "../../lakehouse/builds/native/commit.ts";
import { modelOf, type NativeDeps } from "../../lakehouse/builds/native/deps.ts";
import { type InputList, InputLists } from "../../lakehouse/builds/native/input-lists.ts";
import { leaseWork } from "../../lakehouse/builds/native/lease.ts";
import { outputKey } from "../../lakehouse/builds/native/outputs.ts";
import { readStanding } from "../../lakehouse/builds/native/standing.ts";
import {
  BUILDER_PROTOCOL,
  commitRequestSchema,
  failRequestSchema,
  joinRequestSchema,
  leaseRequestSchema,
  NATIVE_LEASE_MS,
  OUTPUT_NUMBER,
  partQuerySchema,
  renewRequestSchema,
  UPLOAD_PART_BYTES,
} from "../../lakehouse/builds/native/wire.ts";
import type { ModelTable } from "../../lakehouse/tables/catalog.ts";
import { DUCKDB_VERSION } from "../../lakehouse/tables/compiled/models.generated.ts";
import { type NativeRun, nativeRun, renewNativeRun } from "../../sql/statements/native-runs.ts";
import { catalog } from "../catalog.ts";
import type { GatewayContext } from "../context.ts";
import type { GatewayDeps } from "../deps.ts";
import { lakeAnswers, readLake } from "../lake-access.ts";
import { bodyOf } from "../openapi/json-body.ts";
import { headersOf, queryOf } from "../openapi/parameters.ts";
import { ProblemError } from "../problem.ts";
import { type ByteRange, bytesOf, rangeOf } from "./byte-range.ts";
import { inputHeaders, inputQuery } from "./native-builds.api.ts";

type Route = (c: GatewayContext) => Promise<Response>;

function nativeDeps(deps: GatewayDeps): NativeDeps {
  return { db: deps.db, bucket: deps.lake, deploy: deps.deploy(), newRunId: deps.ids.uuidv7, replan: deps.replan };
}

/** A local builder is to begin at once; elsewhere each request is billed. */
const LOCAL_POLL_MS = 2_000;

export function postLease(deps: GatewayDeps): Route {
  return async function postLease(c) {
    const { protocol, builder } = await bodyOf(c, leaseRequestSchema);
    if (protocol !== BUILDER_PROTOCOL || builder.duckdb !== DUCKDB_VERSION) {
      const has = `has the protocol ${protocol} and DuckDB ${builder.duckdb}`;
      const detail = `the builder ${has}; this platform has the protocol ${BUILDER_PROTOCOL} and DuckDB ${DUCKDB_VERSION}`;
      throw new ProblemError("BUILDER_MISMATCH", detail);
    }
    const asker = { builder, keyId: c.get("grant").keyId };
    const longest = deps.environment === "local" ? LOCAL_POLL_MS : undefined;
    const answer = await lakeAnswers(() => leaseWork(nativeDeps(deps), asker, longest));
    if (answer.work !== null) Object.assign(c.get("wideEvent"), { run: answer.work.run, table: answer.work.table });
    return c.json(answer);
  };
}

export function postRenewal(deps: GatewayDeps): Route {
  return async function postRenewal(c) {
    const said = await bodyOf(c, renewRequestSchema);
    const runId = c.req.param("run") ?? "";
    const run = await catalog(() => renewNativeRun(deps.db, runId, c.get("grant").keyId, NATIVE_LEASE_MS, said));
    requireHeld(run, runId);
    return c.body(null, 204);
  };
}

export function postFailure(deps: GatewayDeps): Route {
  return async function postFailure(c) {
    const said = await bodyOf(c, failRequestSchema);
    const { run, table } = await runOf(deps, c);
    // It has ended: the answer to that was lost.
    if (run.outcome !== null) return c.body(null, 204);
    requireHeld(run, run.runId);
    await lakeAnswers(() => orLost(() => endNative(nativeDeps(deps), table, run, said)));
    return c.body(null, 204);
  };
}

export function postCommit(deps: GatewayDeps): Route {
  return async function postCommit(c) {
    const said = await bodyOf(c, commitRequestSchema);
    const { run, table } = await runOf(deps, c);
    const ended = await lakeAnswers(() => endedAs(nativeDeps(deps), table, run));
    if (ended !== undefined) return c.json(ended);
    requireHeld(run, run.runId);
    const answer = await readLake((permit) =>
      orLost(() => commitNative(nativeDeps(deps), { bucket: deps.lake, permit }, table, run, said)),
    );
    Object.assign(c.get("wideEvent"), { table: table.name, outcome: answer.outcome });
    return c.json(answer);
  };
}

/** A file of the run's order, or a range of it. */
export function getInput(deps: GatewayDeps): Route {
  const inputs = new InputLists();
  return async function getInput(c) {
    const { file } = queryOf(c, inputQuery);
    const { Range: wanted, "If-Match": match } = headersOf(c, inputHeaders);
    const { run, table } = await heldRun(deps, c);
    const read = await lakeAnswers(() => inputs.of(run.runId, () => filesOf(deps, table, run)));
    const size = read.get(file);
    if (size === undefined)
      throw new ProblemError("NOT_AN_INPUT", `run ${run.runId} does not read ${file.slice(0, 300)}`);
    const range = rangeOf(wanted, size);
    const object = await lakeAnswers(() => deps.lake.get(file, range === undefined ? {} : { range: r2Range(range) }));
    if (object === null) throw new ProblemError("INPUT_GONE", `${file} is not in the lake any more`);
    if (match !== undefined && match !== object.httpEtag) {
      await object.body.cancel();
      throw new ProblemError("INPUT_CHANGED", `${file} is not the object of which a part was read before`);
    }
    const headers = new Headers({
      ETag: object.httpEtag,
      "Accept-Ranges": "bytes",
      "Content-Type": PARQUET.contentType,
    });
    const { from, to } = bytesOf(range, object.size);
    headers.set("Content-Length", String(to - from));
    if (range === undefined) return new Response(object.body, { headers });
    headers.set("Content-Range", `bytes ${from}-${to - 1}/${object.size}`);
    return new Response(object.body, { status: 206, headers });
  };
}

function r2Range(range: ByteRange): R2Range {
  if (range.suffix !== undefined) return { suffix: range.suffix };
  return range.length === undefined ? { offset: range.offset } : { offset: range.offset, length: range.length };
}

async function filesOf({ lake }: GatewayDeps, table: ModelTable, { date, runId }: NativeRun): Promise<InputList> {
  const { order } = await readStanding(lake, table, date, runId);
  return new Map(order.inputs.flatMap(({ files }) => files.map(({ file, bytes }) => [file, bytes] as const)));
}

const PARQUET = { contentType: "application/vnd.apache.parquet" };

/** A whole file, or one part of it. */
export function putOutput(deps: GatewayDeps): Route {
  return async function putOutput(c) {
    const { upload, part } = queryOf(c, partQuerySchema);
    if ((upload === undefined) !== (part === undefined))
      throw new ProblemError("INVALID_PARAMETER", "upload and part are given together, or neither is");
    const n = numberOf(c);
    const bytes = declaredBytes(c);
    const { run, table } = await heldRun(deps, c);
    const { body } = c.req.raw;
    if (body === null) throw new ProblemError("INVALID_PARAMETER", "the body is empty");
    const key = outputKey(table, run.date, run.runId, n);
    c.get("wideEvent").bytes = bytes;
    if (upload !== undefined && part !== undefined) {
      const { etag } = await lakeAnswers(() => partsOf(deps, key, upload).uploadPart(Number(part), body));
      return c.json({ bytes, etag });
    }
    // Created if absent: a request that was given up for lost and comes to its end late changes nothing that was committed meanwhile.
    const put = await lakeAnswers(() =>
      deps.lake.put(key, body, { onlyIf: { etagDoesNotMatch: "*" }, httpMetadata: PARQUET }),
    );
    return c.json(await stored(deps, key, put, bytes, n));
  };
}

/** What stands there: of a file that was sent before, that one. */
async function stored({ lake }: GatewayDeps, key: string, put: R2Object | null, bytes: number, n: number) {
  const object = put ?? (await lakeAnswers(() => lake.head(key)));
  if (object?.size === bytes) return { bytes, etag: object.etag };
  throw new ProblemError(
    "OUTPUT_EXISTS",
    `file ${n} stands already, with ${object?.size ?? 0} bytes, and ${bytes} came: take another number`,
  );
}

export function postOutputOpen(deps: GatewayDeps): Route {
  return async function postOutputOpen(c) {
    const n = numberOf(c);
    const { run, table } = await heldRun(deps, c);
    const key = outputKey(table, run.date, run.runId, n);
    const { uploadId } = await lakeAnswers(() => deps.lake.createMultipartUpload(key, { httpMetadata: PARQUET }));
    return c.json({ upload: uploadId }, 201);
  };
}

export function postOutputJoin(deps: GatewayDeps): Route {
  return async function postOutputJoin(c) {
    const { upload, parts } = await bodyOf(c, joinRequestSchema);
    const n = numberOf(c);
    const { run, table } = await heldRun(deps, c);
    const key = outputKey(table, run.date, run.runId, n);
    const joined = await lakeAnswers(async () => {
      // A join of which the answer was lost has the file stand.
      const known = await deps.lake.head(key);
      if (known !== null) return known;
      return await partsOf(deps, key, upload).complete(parts.map(({ part, etag }) => ({ partNumber: part, etag })));
    });
    return c.json({ bytes: joined.size, etag: joined.etag });
  };
}

/** An upload of another key is none of this one's: R2 refuses it. */
function partsOf({ lake }: GatewayDeps, key: string, upload: string): R2MultipartUpload {
  return lake.resumeMultipartUpload(key, upload);
}

function numberOf(c: GatewayContext): number {
  const n = c.req.param("n") ?? "";
  if (!OUTPUT_NUMBER.test(n))
    throw new ProblemError("INVALID_PARAMETER", "n: expected the number of a file, from 0 to 799");
  return Number(n);
}

function declaredBytes(c: GatewayContext): number {
  const text = c.req.header("content-length");
  if (text === undefined || !/^\d{1,15}$/.test(text))
    throw new ProblemError("INVALID_PARAMETER", "the header Content-Length: say how many bytes come");
  const bytes = Number(text);
  if (bytes === 0) throw new ProblemError("INVALID_PARAMETER", "the body is empty");
  if (bytes > UPLOAD_PART_BYTES) {
    const detail = `one request has at most ${UPLOAD_PART_BYTES} bytes: send the file in parts`;
    throw new ProblemError("BODY_TOO_LARGE", detail, { max_bytes: UPLOAD_PART_BYTES });
  }
  return bytes;
}

/** The run in the address, of this key. Throws the problem UNKNOWN_RUN. */
async function runOf(deps: GatewayDeps, c: GatewayContext): Promise<{ run: NativeRun; table: ModelTable }> {
  const runId = c.req.param("run") ?? "";
  const run = await catalog(() => nativeRun(deps.db, runId, c.get("grant").keyId));
  const table = run === undefined ? undefined : modelOf(nativeDeps(deps), run.domain);
  if (run === undefined || table === undefined) throw unknownRun(runId);
  c.get("wideEvent").run = run.runId;
  return { run, table };
}

/** Throws the problem LEASE_LOST besides. */
async function heldRun(deps: GatewayDeps, c: GatewayContext): Promise<{ run: NativeRun; table: ModelTable }> {
  const found = await runOf(deps, c);
  requireHeld(found.run, found.run.runId);
  return found;
}

function requireHeld(run: NativeRun | undefined, runId: string): void {
  if (run === undefined) throw unknownRun(runId);
  if (run.held) return;
  const how = run.outcome === null ? "another build has the partition, or will have it" : `it was ${run.outcome}`;
  throw new ProblemError("LEASE_LOST", `the lease of run ${runId} is gone: ${how}`);
}

function unknownRun(runId: string): ProblemError {
  return new ProblemError("UNKNOWN_RUN", `no builder with this key has the run "${runId.slice(0, 100)}"`);
}

/** A lease that was lost meanwhile is the problem LEASE_LOST. */
async function orLost<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof LeaseLostError) throw new ProblemError("LEASE_LOST", error.message);
    throw error;
  }
}
