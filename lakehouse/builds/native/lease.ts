/** Gives a native builder its next partition: the one that waits longest, under a lease that stands as long as it is renewed. */
import { noteBuilder } from "../../../sql/statements/builders.ts";
import { acquireLease, failRun, type Lease } from "../../../sql/statements/leases.ts";
import { openNativeRun, renewNativeRun } from "../../../sql/statements/native-runs.ts";
import { type WaitingPartition, waitingForNative } from "../../../sql/statements/native-waiting.ts";
import type { ModelTable } from "../../tables/catalog.ts";
import { MissingObjectError } from "../../tables/lake.ts";
import { failureOf } from "../failure.ts";
import { readsMixed } from "../generations/mixed.ts";
import { contentOfTable, mayBuild } from "../generations/record.ts";
import { builtFrom, inputPartitions, pinsOf } from "../models/inputs.ts";
import { modelOf, type NativeDeps } from "./deps.ts";
import { workOrder } from "./order.ts";
import { nativeDomains } from "./routing.ts";
import { putStanding, readStanding, type Standing } from "./standing.ts";
import { type Builder, type LeaseAnswer, NATIVE_LEASE_MS, type WorkOrder } from "./wire.ts";

/** Who asks: the builder, and the key that it has. */
export interface Asker {
  readonly builder: Builder;
  readonly keyId: string;
}

/** Partitions that one request tries: others may be quicker, and an order that cannot be written is a failed run. */
const TRIES = 5;

/** An idle builder asks after a tenth of the time that it has been idle. */
const POLL_MS = { shortest: 1_000, longest: 30_000 } as const;

/** `longestPollMs`: an idle builder asks as often at least. Throws what D1 and R2 throw. */
export async function leaseWork(
  deps: NativeDeps,
  asker: Asker,
  longestPollMs: number = POLL_MS.longest,
): Promise<LeaseAnswer> {
  const { run, idleMs } = await noteBuilder(deps.db, asker.builder);
  const again = run === null ? undefined : await standingOrder(deps, asker, run);
  const work = again ?? (await nextOrder(deps, asker));
  if (work !== undefined) return { work };
  const pollMs = Math.max(POLL_MS.shortest, Math.min(longestPollMs, Math.round(idleMs / 10)));
  return { work: null, poll_after_ms: pollMs };
}

/** The order that the builder has already: the answer to its last request was lost. Undefined where that is nobody's any more. */
async function standingOrder(deps: NativeDeps, { keyId }: Asker, runId: string): Promise<WorkOrder | undefined> {
  const run = await renewNativeRun(deps.db, runId, keyId, NATIVE_LEASE_MS, null);
  const table = run === undefined ? undefined : modelOf(deps, run.domain);
  if (run === undefined || table === undefined || !run.held) return undefined;
  try {
    return (await readStanding(deps.bucket, table, run.date, runId)).order;
  } catch (error) {
    if (error instanceof MissingObjectError) return undefined;
    throw error;
  }
}

async function nextOrder(deps: NativeDeps, asker: Asker): Promise<WorkOrder | undefined> {
  const domains = nativeDomains(deps.deploy.tables);
  let waiting = await waitingForNative(deps.db, domains, TRIES);
  // What expired stands behind what is free.
  if (waiting[0]?.expired === true) {
    await deps.replan();
    waiting = await waitingForNative(deps.db, domains, TRIES);
  }
  for (const partition of waiting) {
    const order = partition.expired ? undefined : await tryPartition(deps, asker, partition);
    if (order !== undefined) return order;
  }
  return undefined;
}

/** Undefined where another was quicker, a newer deploy builds it, or its order could not be written: that is its run's failure. */
async function tryPartition(
  deps: NativeDeps,
  asker: Asker,
  { domain, date }: WaitingPartition,
): Promise<WorkOrder | undefined> {
  const { db } = deps;
  const table = modelOf(deps, domain);
  if (table === undefined || !(await mayBuild(db, deps.deploy, table))) return undefined;
  const wanted = { domain, date, runId: deps.newRunId(), nonce: null, leaseMs: NATIVE_LEASE_MS };
  const lease = await acquireLease(db, wanted);
  if (lease === undefined) return undefined;
  try {
    const standing = await standingOf(deps, table, lease);
    await putStanding(deps.bucket, table, standing);
    await db.batch(openNativeRun(db, lease, { builderId: asker.builder.id, keyId: asker.keyId }));
    return standing.order;
  } catch (error) {
    await db.batch(failRun(db, lease, failureOf(error, lease)));
    return undefined;
  }
}

async function standingOf({ db, bucket }: NativeDeps, table: ModelTable, lease: Lease): Promise<Standing> {
  const { model } = table;
  const mixed = await readsMixed(db, table, lease.date);
  const inputs = await inputPartitions(db, { bucket }, model, lease.date);
  const rowsIn = inputs.reduce((rows, { live }) => rows + (live?.rows ?? 0), 0);
  return {
    order: workOrder(table, lease, inputs),
    lease,
    content: contentOfTable(table),
    mixed,
    built: { rowsIn, ...builtFrom(inputs), pins: pinsOf(inputs) },
  };
}
