/** How a native build ends: its files are looked at, its checks judged, and one fenced batch publishes them; or it fails, or is given back. */

import type { AddedFile } from "../../../sql/statements/data-files.ts";
import { leaseGuard } from "../../../sql/statements/guard.ts";
import { failRun } from "../../../sql/statements/leases.ts";
import { endedBy, endNativeRun, type NativeRun, releaseRun } from "../../../sql/statements/native-runs.ts";
import { discardCandidate } from "../../../sql/statements/silver-progress.ts";
import type { ModelTable } from "../../tables/catalog.ts";
import type { LakeWork } from "../../tables/lake.ts";
import { publishPointer, refreshPointer } from "../../tables/pointer.ts";
import { orderKey, stagedPrefix } from "../../tables/stage.ts";
import { failureOf } from "../failure.ts";
import { type CheckResult, QualityGateError } from "../gates/gate.ts";
import { leavesChecks } from "../gates/judged.ts";
import { contentOfTable } from "../generations/record.ts";
import { hasClosed } from "../planning/dependencies.ts";
import { backoffMs } from "../planning/machine.ts";
import { publishWhole } from "../publish-whole.ts";
import type { NativeDeps } from "./deps.ts";
import { checkResults } from "./measured.ts";
import { examineOutputs, OutputMismatchError } from "./outputs.ts";
import { readStanding, type Standing } from "./standing.ts";
import type { CommitAnswer, CommitRequest, FailRequest } from "./wire.ts";

/** What a builder said of its failure. Its class decides whether it is tried again. */
export class NativeBuildError extends Error {
  override readonly name = "NativeBuildError";
}

/** The lease of the run is another's, or nobody's, by now: nothing of it was published. */
export class LeaseLostError extends Error {
  override readonly name = "LeaseLostError";
}

/** How a run that has ended did: what its builder asks again where the answer was lost. Undefined: it has not. */
export async function endedAs(deps: NativeDeps, table: ModelTable, run: NativeRun): Promise<CommitAnswer | undefined> {
  if (run.outcome === null) return undefined;
  if (run.outcome !== "published") return { outcome: "failed", message: run.message };
  await refreshPointer(deps.db, deps.bucket, table);
  return { outcome: "published", message: null };
}

/** Publishes what the run has uploaded, or fails it. Throws `LeaseLostError`, and what D1 and R2 throw: then it is asked for again. */
export async function commitNative(
  deps: NativeDeps,
  lake: LakeWork,
  table: ModelTable,
  run: NativeRun,
  said: CommitRequest,
): Promise<CommitAnswer> {
  const standing = await readStanding(deps.bucket, table, run.date, run.runId);
  if (contentOfTable(table) !== standing.content) {
    // Its SQL, columns or checks are another deploy's: the next lease has this one's.
    const message = `another release says something else of ${table.name} than the one that gave the order: it is built again`;
    await release(deps, table, standing, message);
    return { outcome: "failed", message };
  }
  try {
    const { date, runId } = standing.lease;
    const files = await examineOutputs(lake, table, { date, runId }, said.files);
    const results = checkResults(table, standing, said.measures, rowsOf(files));
    return await publish(deps, table, standing, files, results);
  } catch (error) {
    if (error instanceof LeaseLostError || !isFailure(error)) throw error;
    const failure = failureOf(error, standing.lease);
    await endWith(deps, table, standing, failure.message, failRun(deps.db, standing.lease, failure));
    return { outcome: "failed", message: failure.message };
  }
}

/** What the build is to blame for. Of everything else it is not known what happened: the builder asks again. */
function isFailure(error: unknown): boolean {
  return error instanceof QualityGateError || error instanceof OutputMismatchError;
}

async function publish(
  deps: NativeDeps,
  table: ModelTable,
  standing: Standing,
  files: readonly AddedFile[],
  results: readonly CheckResult[],
): Promise<CommitAnswer> {
  const { db, bucket } = deps;
  const { lease, built, mixed } = standing;
  const stray = await strayOutputs(bucket, table, standing, files);
  const mine = await publishWhole(db, bucket, table, {
    ...{ lease, files, results, mixed, ...built },
    awaitsClosing: leavesChecks(table.checks, hasClosed(lease)),
    also: (guard) => [
      // Of an edge build of the partition that has not come to its end.
      ...discardCandidate(db, lease, table.name, table.domain, stray),
      ...endNativeRun("published", null, orderKeyOf(table, standing), guard),
    ],
  });
  if (!mine) throw lost(lease.runId);
  await publishPointer(db, bucket, table);
  await deps.replan();
  return { outcome: "published", message: null };
}

/** What the run uploaded and does not publish: nothing else would find it, since the run ends well. */
async function strayOutputs(
  bucket: Pick<R2Bucket, "list">,
  table: ModelTable,
  { lease }: Standing,
  files: readonly AddedFile[],
): Promise<string[]> {
  const published = new Set(files.map(({ file }) => file));
  const { objects } = await bucket.list({ prefix: stagedPrefix(table, lease.date, lease.runId) });
  return objects.map(({ key }) => key).filter((key) => !published.has(key));
}

function rowsOf(files: readonly AddedFile[]): number {
  return files.reduce((sum, file) => sum + file.rows, 0);
}

/** Ends a run as its builder says. Nothing happens once the lease is another's. */
export async function endNative(
  deps: NativeDeps,
  table: ModelTable,
  run: NativeRun,
  { class: failureClass, message }: FailRequest,
): Promise<void> {
  const standing = await readStanding(deps.bucket, table, run.date, run.runId);
  if (failureClass === "released") return await release(deps, table, standing, message);
  const { lease } = standing;
  const failure = {
    failureClass,
    message: `NativeBuildError: ${message}`,
    backoffMs: failureClass === "system" ? backoffMs(lease.retryCount) : 0,
  };
  await endWith(deps, table, standing, message, failRun(deps.db, lease, failure));
}

async function release(deps: NativeDeps, table: ModelTable, standing: Standing, message: string): Promise<void> {
  const guard = leaseGuard(deps.db, standing.lease);
  await end(deps, standing, [
    ...endNativeRun("released", message, orderKeyOf(table, standing), guard),
    ...releaseRun(deps.db, standing.lease, message),
  ]);
}

/** Throws `LeaseLostError`. */
async function end({ db }: NativeDeps, { lease }: Standing, statements: readonly D1PreparedStatement[]): Promise<void> {
  if (!(await endedBy(db, lease.runId, statements))) throw lost(lease.runId);
}

function lost(runId: string): LeaseLostError {
  return new LeaseLostError(`the lease of run ${runId} is another's, or ran out: nothing of it is published`);
}

function orderKeyOf(table: ModelTable, { lease: { date, runId } }: Standing): string {
  return orderKey(table, date, runId);
}

async function endWith(
  deps: NativeDeps,
  table: ModelTable,
  standing: Standing,
  message: string,
  statements: readonly D1PreparedStatement[],
): Promise<void> {
  const guard = leaseGuard(deps.db, standing.lease);
  await end(deps, standing, [...endNativeRun("failed", message, orderKeyOf(table, standing), guard), ...statements]);
}
