/**
 * Builds one partition of one table under its lease. The commit point is `commitVersion`: before it nothing of the build is visible,
 * after it everything is. Every other step may be done again.
 */
import { acquireLease, failRun, type Lease } from "../../sql/statements/partitions.ts";
import { ModelTooLargeError, ModelValueError } from "../engine/ir/errors.ts";
import { CorruptParquetError } from "../engine/parquet/reader.ts";
import type { Table } from "../tables/catalog.ts";
import { publishPointer, refreshPointer } from "../tables/pointer.ts";
import { buildAtOnce } from "./at-once.ts";
import { QualityGateError } from "./gates/gate.ts";
import { type BuildDeps, type BuildOutcome, messageOf } from "./outcome.ts";
import { backoffMs } from "./planning/machine.ts";
import { buildSilver } from "./silver/build.ts";
import { BronzeRetiredError } from "./silver/sealed.ts";

/** A queue consumer runs for at most 15 minutes: a lease that outlives it has lost its builder. */
const LEASE_MS = 16 * 60_000;

/**
 * Builds and publishes, or takes one step of it. Never throws for what the build itself meets: that is recorded in D1. It throws when D1
 * cannot even be told, or when the pointer files could not follow a commit: done again, it then finds nothing to build and only
 * brings the pointer up to date.
 */
export async function buildPartition(deps: BuildDeps, table: Table, date: string): Promise<BuildOutcome> {
  const lease = await acquireLease(deps.db, table.domain, date, deps.newRunId(), LEASE_MS);
  if (lease === undefined) {
    await refreshPointer(deps.db, deps.bucket, table);
    return { kind: "not_needed" };
  }
  const outcome = await attempt(deps, table, lease);
  if (outcome.kind === "committed") await publishPointer(deps.db, deps.bucket, table);
  return outcome;
}

async function attempt(deps: BuildDeps, table: Table, lease: Lease): Promise<BuildOutcome> {
  try {
    return table.kind === "topic" ? await buildSilver(deps, table, lease) : await buildAtOnce(deps, table, lease);
  } catch (error) {
    const failureClass = isDataFailure(error) ? "data" : "system";
    const failure = {
      failureClass,
      message: messageOf(error),
      backoffMs: failureClass === "system" ? backoffMs(lease.retryCount) : 0,
      checks: error instanceof QualityGateError ? error.checks : undefined,
    } as const;
    await deps.db.batch(failRun(deps.db, lease, failure));
    return { kind: "failed", lease, failureClass, message: failure.message };
  }
}

/** Failures that the same input repeats. A corrupt object is one: it does not heal by itself. */
function isDataFailure(error: unknown): boolean {
  return (
    error instanceof QualityGateError ||
    error instanceof ModelTooLargeError ||
    error instanceof ModelValueError ||
    error instanceof BronzeRetiredError ||
    error instanceof CorruptParquetError
  );
}
