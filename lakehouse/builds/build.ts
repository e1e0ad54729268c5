/**
 * Builds one partition of one table under its lease. The commit point is `commitVersion`: before it nothing of the build is visible,
 * after it everything is. Every other step may be done again.
 */
import { acquireLease, failRun, type Lease } from "../../sql/statements/leases.ts";
import { releaseRun } from "../../sql/statements/native-runs.ts";
import { sendToNative } from "../../sql/statements/native-waiting.ts";
import { noteStepSize } from "../../sql/statements/step-sizes.ts";
import { ModelTooLargeError } from "../engine/ir/errors.ts";
import { publishBronzePointer } from "../tables/bronze/pointer.ts";
import { isEdgeModelTable, type Table } from "../tables/catalog.ts";
import { publishPointer, refreshPointer } from "../tables/pointer.ts";
import { buildAtOnce } from "./at-once.ts";
import { failureOf } from "./failure.ts";
import { mayBuild } from "./generations/record.ts";
import { buildModel } from "./models/build.ts";
import { hasBuilder, isNativePartition, isNativeTable, maySend, reasonToSend } from "./native/routing.ts";
import { type BuildDeps, type BuildOutcome, usualStepRows } from "./outcome.ts";
import type { BuildRequest } from "./planning/planner.ts";
import { BuilderVanishedError, decideStep, rowsOfPiece } from "./planning/splits.ts";
import { buildSilver } from "./silver/build.ts";

/**
 * A queue consumer runs for at most 15 minutes: a lease that outlives it has lost its builder. The message that comes again takes the
 * lease over long before that; this is for messages that are lost themselves.
 */
const LEASE_MS = 16 * 60_000;

/**
 * Builds and publishes, or takes one step of it. What a native builder builds is left alone: its message is from before it was one's.
 * Never throws for what the build itself meets: that is recorded in D1. It throws when D1 cannot even be told, or when the pointer files
 * could not follow a commit: done again, it then finds nothing to build and only brings the pointer up to date.
 */
export async function buildPartition(
  deps: BuildDeps,
  table: Table,
  { date, nonce }: Pick<BuildRequest, "date" | "nonce">,
): Promise<BuildOutcome> {
  if (isNativePartition(table, date)) return { kind: "not_needed" };
  const { domain } = table;
  const wanted = { domain, date, runId: deps.newRunId(), nonce: nonce ?? null, leaseMs: LEASE_MS };
  const reason = await reasonToSend(buildersOf(deps), table, date, deps.nativeRows ?? 0);
  if (reason !== undefined) await sendToNative(deps.db, domain, date, reason).run();
  const may = deps.deploy === undefined || (await mayBuild(deps.db, deps.deploy, table));
  const lease = may ? await acquireLease(deps.db, { ...wanted, leavesNative: maySend(table) }) : undefined;
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

async function attempt(deps: BuildDeps, table: Table, lease: Lease): Promise<BuildOutcome> {
  try {
    return await buildAsDecided(deps, table, lease);
  } catch (error) {
    const failure = failureOf(error, lease);
    if (isTooMuch(error) && maySend(table) && (await hasBuilder(buildersOf(deps)))) {
      const message = `${failure.message}. A native builder builds it from now on.`;
      const send = sendToNative(deps.db, table.domain, lease.date, reasonOf(error));
      await deps.db.batch([send, ...releaseRun(deps.db, lease, message, "FAILED")]);
      return { kind: "sent", lease, message };
    }
    await deps.db.batch(failRun(deps.db, lease, failure));
    return { kind: "failed", lease, failureClass: failure.failureClass, message: failure.message };
  }
}

/** Cuts the step where builders vanished at it. Throws what building throws, and BuilderVanishedError where nothing is left to cut. */
async function buildAsDecided(deps: BuildDeps, table: Table, lease: Lease): Promise<BuildOutcome> {
  const inSteps = isEdgeModelTable(table) && table.model.class.kind !== "whole" && !isNativeTable(table);
  const atOnce = table.kind !== "topic" && !inSteps;
  const step = decideStep(lease, { atOnce });
  if (step.kind !== "take") await deps.db.batch(noteStepSize(deps.db, lease, step));
  const stepRows = deps.stepRows ?? usualStepRows(table);
  const bounds = { rows: rowsOfPiece(stepRows, step), givenUp: step.kind === "give up" };
  if (table.kind === "topic") return await buildSilver(deps, table, lease, bounds);
  if (inSteps) return await buildModel(deps, table, lease, bounds);
  if (step.kind === "give up") {
    throw new BuilderVanishedError(
      `two builders of ${table.name} ${lease.date} were gone before they came to its end: what it reads and holds at once is more than the memory or time of an isolate; let the model group by fewer values, or read fewer dates`,
    );
  }
  return await buildAtOnce(deps, table, lease);
}

/** Whether an isolate has too little for it: DuckDB, outside of one, has more. */
function isTooMuch(error: unknown): error is Error {
  return error instanceof ModelTooLargeError || error instanceof BuilderVanishedError;
}

function reasonOf(error: Error): string {
  return error instanceof ModelTooLargeError ? "it is more than the edge holds" : "two builders of the edge were gone";
}

function buildersOf({ db, builderOnCall = false }: BuildDeps) {
  return { db, onCall: builderOnCall };
}
