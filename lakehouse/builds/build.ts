/**
 * Builds one partition of one table under its lease. The commit point is `commitVersion`: before it nothing of the build is visible,
 * after it everything is. Every other step may be done again.
 */
import { acquireLease, failRun, type Lease } from "../../sql/statements/leases.ts";
import { noteStepSize } from "../../sql/statements/step-sizes.ts";
import { ModelTooLargeError, ModelValueError } from "../engine/ir/errors.ts";
import { isNativeOnly } from "../engine/ir/ir.ts";
import { CorruptParquetError } from "../engine/parquet/reader.ts";
import { publishBronzePointer } from "../tables/bronze/pointer.ts";
import {
  type EdgeModelTable,
  isEdgeModelTable,
  type LedgerTable,
  type Table,
  type TopicTable,
} from "../tables/catalog.ts";
import { publishPointer, refreshPointer } from "../tables/pointer.ts";
import { buildAtOnce } from "./at-once.ts";
import { QualityGateError } from "./gates/gate.ts";
import { mayBuild } from "./generations/record.ts";
import { buildModel } from "./models/build.ts";
import { type BuildDeps, type BuildOutcome, messageOf, STEP_ROWS } from "./outcome.ts";
import { backoffMs } from "./planning/machine.ts";
import type { BuildRequest } from "./planning/planner.ts";
import { BuilderVanishedError, decideStep, rowsOfPiece, StepTooLargeError } from "./planning/splits.ts";
import { buildSilver } from "./silver/build.ts";
import { BronzeRetiredError } from "./silver/sealed.ts";

/**
 * A queue consumer runs for at most 15 minutes: a lease that outlives it has lost its builder. The message that comes again takes the
 * lease over long before that; this is for messages that are lost themselves.
 */
const LEASE_MS = 16 * 60_000;

/** What the edge can build. */
type EdgeTable = TopicTable | LedgerTable | EdgeModelTable;

function isBuiltHere(table: Table): table is EdgeTable {
  return table.kind !== "model" || (isEdgeModelTable(table) && !isNativeOnly(table.model));
}

/**
 * Builds and publishes, or takes one step of it. A table that only a native builder makes is left alone: its message went astray. Never throws for what the build itself meets: that is recorded in D1. It throws when D1
 * cannot even be told, or when the pointer files could not follow a commit: done again, it then finds nothing to build and only
 * brings the pointer up to date.
 */
export async function buildPartition(
  deps: BuildDeps,
  table: Table,
  { date, nonce }: Pick<BuildRequest, "date" | "nonce">,
): Promise<BuildOutcome> {
  if (!isBuiltHere(table)) return { kind: "not_needed" };
  const wanted = { domain: table.domain, date, runId: deps.newRunId(), nonce: nonce ?? null, leaseMs: LEASE_MS };
  const may = deps.deploy === undefined || (await mayBuild(deps.db, deps.deploy, table));
  const lease = may ? await acquireLease(deps.db, wanted) : undefined;
  if (lease === undefined) {
    await refreshPointer(deps.db, deps.bucket, table);
    return { kind: "not_needed" };
  }
  const outcome = await attempt(deps, table, lease);
  if (outcome.kind === "committed") {
    await publishPointer(deps.db, deps.bucket, table);
    if (table.kind === "topic") await publishBronzePointer(deps.db, deps.bucket, table.contract);
  }
  return outcome;
}

async function attempt(deps: BuildDeps, table: EdgeTable, lease: Lease): Promise<BuildOutcome> {
  try {
    return await buildAsDecided(deps, table, lease);
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

/** Cuts the step where builders vanished at it. Throws what building throws, and BuilderVanishedError where nothing is left to cut. */
async function buildAsDecided(deps: BuildDeps, table: EdgeTable, lease: Lease): Promise<BuildOutcome> {
  const atOnce = table.kind === "ledger" || (table.kind === "model" && table.model.class.kind === "whole");
  const step = decideStep(lease, { atOnce });
  if (step.kind !== "take") await deps.db.batch(noteStepSize(deps.db, lease, step));
  const bounds = { rows: rowsOfPiece(deps.stepRows ?? STEP_ROWS, step), givenUp: step.kind === "give up" };
  if (table.kind === "topic") return await buildSilver(deps, table, lease, bounds);
  if (table.kind === "model" && !atOnce) return await buildModel(deps, table, lease, bounds);
  if (step.kind === "give up") {
    throw new BuilderVanishedError(
      `two builders of ${table.name} ${lease.date} were gone before they came to its end: what it reads and holds at once is more than the memory or time of an isolate; let the model group by fewer values, or read fewer dates`,
    );
  }
  return await buildAtOnce(deps, table, lease);
}

/** Failures that the same input repeats. A corrupt object is one: it does not heal by itself. */
function isDataFailure(error: unknown): boolean {
  return (
    error instanceof QualityGateError ||
    error instanceof ModelTooLargeError ||
    error instanceof ModelValueError ||
    error instanceof BronzeRetiredError ||
    error instanceof StepTooLargeError ||
    error instanceof CorruptParquetError
  );
}
