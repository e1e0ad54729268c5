/**
 * Builds one partition of one table: lease, prepare, gate, stage, commit. The commit point is `commitVersion`: before it
 * nothing of the build is visible, after it everything is. Every other step may be done again.
 */
import { type Commit, commitVersion, isPublishedBy } from "../../sql/statements/commits.ts";
import type { AddedFile } from "../../sql/statements/data-files.ts";
import { decisionsOf } from "../../sql/statements/partition-decisions.ts";
import { acquireLease, failRun, type Lease } from "../../sql/statements/partitions.ts";
import { checksOf, type QualityRow } from "../../sql/statements/quality.ts";
import type { Batch } from "../engine/columns/column.ts";
import { ModelTooLargeError, ModelValueError } from "../engine/ir/errors.ts";
import { CorruptParquetError } from "../engine/parquet/reader.ts";
import type { Table, TopicTable } from "../tables/catalog.ts";
import type { LakeWork } from "../tables/lake.ts";
import { publishPointer, refreshPointer } from "../tables/pointer.ts";
import { quarantineOf } from "../tables/quarantine.ts";
import { stageFiles } from "../tables/stage.ts";
import type { Candidate } from "./candidate.ts";
import { checksAfter, unaccepted } from "./gates/decisions.ts";
import { blocking, type CheckResult, QualityGateError, runChecks } from "./gates/gate.ts";
import { separate } from "./gates/quarantine.ts";
import { prepareLedger } from "./ledger.ts";
import { prepareGold } from "./models/gold.ts";
import { silverOutcomes } from "./outcomes.ts";
import { staleAfter } from "./planning/dependencies.ts";
import { backoffMs } from "./planning/machine.ts";
import { BronzeRetiredError, quarantineLate } from "./silver/sealed.ts";
import { PartitionTooLargeError, prepareSilver } from "./silver/silver.ts";

/** A queue consumer runs for at most 15 minutes: a lease that outlives it has lost its builder. */
const LEASE_MS = 16 * 60_000;

export interface BuildDeps extends LakeWork {
  readonly db: D1Database;
  newRunId(): string;
}

export type BuildOutcome =
  | { readonly kind: "committed"; readonly lease: Lease; readonly rowsIn: number; readonly rowsOut: number }
  /** The partition does not wait for a build, or another builder has it. */
  | { readonly kind: "not_needed" }
  /** Another run was published meanwhile; this one's files are unreferenced. */
  | { readonly kind: "lost"; readonly lease: Lease }
  | {
      readonly kind: "failed";
      readonly lease: Lease;
      readonly failureClass: "data" | "system";
      readonly message: string;
    };

/**
 * Builds and publishes. Never throws for what the build itself meets: that is recorded in D1. It throws when D1 cannot
 * even be told, or when the pointer files could not follow a commit: done again, it then finds nothing to build and only
 * brings the pointer up to date.
 */
export async function buildPartition(deps: BuildDeps, table: Table, date: string): Promise<BuildOutcome> {
  const lease = await acquireLease(deps.db, table.domain, date, deps.newRunId(), LEASE_MS);
  if (lease === undefined) {
    await refreshPointer(deps.db, deps.bucket, table);
    return { kind: "not_needed" };
  }
  const outcome = await attempt(deps, table, date, lease);
  if (outcome.kind === "committed") await publishPointer(deps.db, deps.bucket, table);
  return outcome;
}

async function attempt(deps: BuildDeps, table: Table, date: string, lease: Lease): Promise<BuildOutcome> {
  let checks: string | undefined;
  try {
    if (table.kind === "topic" && lease.sealed) return await addLate(deps, table, lease);
    const decisions = await decisionsOf(deps.db, table.domain, date);
    const own = checksAfter(table.checks, decisions);
    const candidate = await prepare(deps, table, date);
    const { kept, quarantined, results: separated } = separate(own, candidate.rows);
    const files = await stageFiles(deps, table, date, lease.runId, kept);
    const aside =
      table.kind !== "topic" || quarantined.length === 0
        ? []
        : await stageFiles(deps, quarantineOf(table), date, lease.runId, quarantined, "quarantine");
    const judged = own.filter(({ onFail }) => onFail !== "quarantine");
    const results = [...candidate.inputResults, ...(await runChecks(judged, table.layer, kept))];
    checks = checksOf(table.name, new Date().toISOString(), [
      ...results.map((result) => resultRow(result, files)),
      ...separated.map((result) => resultRow(result, result.passed ? files : aside)),
    ]);
    const held = unaccepted(blocking(results), decisions);
    if (held.length > 0) throw new QualityGateError(table.name, date, held);
    return await commit(deps, table, lease, candidate, { kept, files, quarantined, aside, checks });
  } catch (error) {
    return await fail(deps, lease, error, checks);
  }
}

function prepare(deps: BuildDeps, table: Table, date: string): Promise<Candidate> {
  switch (table.kind) {
    case "topic":
      return prepareSilver(deps.db, deps, table, date);
    case "ledger":
      return prepareLedger(deps.db, date);
    case "model":
      return prepareGold(deps.db, deps, table, date);
  }
}

async function commit(
  deps: BuildDeps,
  table: Table,
  lease: Lease,
  candidate: Candidate,
  staged: Staged,
): Promise<BuildOutcome> {
  const { kept, files, quarantined, aside, checks } = staged;
  const mine = await commitOrReadBack(deps, {
    ...placeOf(table, lease),
    // The partition as a whole was built again.
    added: [...files, ...aside],
    removed: "all",
    rows: kept.length,
    rowsAdded: kept.length,
    rowsIn: candidate.rowsIn,
    inputs: candidate.inputs,
    digest: candidate.digest,
    seen: candidate.seen,
    completeThrough: candidate.completeThrough,
    dependents: staleAfter(table.name, lease.date, Date.now()),
    checks,
    ...(candidate.duplicates === undefined
      ? {}
      : {
          terms: {
            topic: table.domain,
            duplicates: candidate.duplicates,
            outcomes: silverOutcomes(kept, quarantined),
          },
        }),
  });
  if (!mine) return { kind: "lost", lease };
  return { kind: "committed", lease, rowsIn: candidate.rowsIn, rowsOut: kept.length };
}

/** Of a sealed partition: the published rows stay, late ones go to quarantine. */
async function addLate(deps: BuildDeps, table: TopicTable, lease: Lease): Promise<BuildOutcome> {
  const late = await quarantineLate(deps.db, deps, table, lease.date, lease.runId);
  const mine = await commitOrReadBack(deps, { ...placeOf(table, lease), ...late });
  if (!mine) return { kind: "lost", lease };
  return { kind: "committed", lease, rowsIn: late.rowsIn, rowsOut: late.rows };
}

function placeOf(table: Table, lease: Lease): Pick<Commit, "lease" | "table" | "layer" | "path"> {
  const path = `${table.directory}/${table.partition}=${lease.date}/`;
  return { lease, table: table.name, layer: table.layer, path };
}

/** A candidate after its quarantine, the files of both parts, and what its checks found. */
interface Staged {
  readonly kept: Batch;
  readonly files: readonly AddedFile[];
  readonly quarantined: Batch;
  readonly aside: readonly AddedFile[];
  readonly checks: string | undefined;
}

/** A commit whose answer was lost may have happened: what D1 says afterwards decides. */
async function commitOrReadBack(deps: BuildDeps, commit: Commit): Promise<boolean> {
  try {
    return await commitVersion(deps.db, commit);
  } catch (error) {
    const { table, lease } = commit;
    if (await isPublishedBy(deps.db, table, lease.date, lease.runId)) return true;
    throw error;
  }
}

async function fail(deps: BuildDeps, lease: Lease, error: unknown, checks: string | undefined): Promise<BuildOutcome> {
  const failureClass = isDataFailure(error) ? "data" : "system";
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  await deps.db.batch(
    failRun(deps.db, lease, {
      failureClass,
      message,
      backoffMs: failureClass === "system" ? backoffMs(lease.retryCount) : 0,
      checks,
    }),
  );
  return { kind: "failed", lease, failureClass, message };
}

/** Failures that the same input repeats. A corrupt object is one: it does not heal by itself. */
function isDataFailure(error: unknown): boolean {
  return (
    error instanceof QualityGateError ||
    error instanceof ModelTooLargeError ||
    error instanceof ModelValueError ||
    error instanceof PartitionTooLargeError ||
    error instanceof BronzeRetiredError ||
    error instanceof CorruptParquetError
  );
}

function resultRow(result: CheckResult, files: readonly AddedFile[]): QualityRow {
  const { check } = result;
  return {
    layer: check.layer,
    check_name: check.name,
    metric: check.metric,
    measured: result.measured,
    bound: JSON.stringify({ [check.bound.op]: check.bound.value }),
    passed: result.passed ? 1 : 0,
    on_fail: check.onFail,
    failing_rows: result.failingRows.length === 0 ? null : JSON.stringify(result.failingRows),
    candidate: files[0]?.file ?? null,
  };
}
