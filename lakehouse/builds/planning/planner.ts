/** The planner: what the state machine says of every active partition, carried out in D1 and in the builds queue. */
import {
  activePartitions,
  applyTransition,
  type PartitionRow,
  type PlannedTransition,
} from "../../../sql/statements/partitions.ts";
import {
  decide,
  isUnsettled,
  PARTITION_STATUSES,
  type Partition,
  type PartitionStatus,
  type PlanPolicy,
} from "./machine.ts";

/** A build message: one partition of one table. */
export interface BuildRequest {
  readonly domain: string;
  readonly date: string;
  /** Names this message, and stays the same however often it is delivered. Messages of older versions have none. */
  readonly nonce?: string | undefined;
}

export interface PlannerDeps {
  readonly db: D1Database;
  readonly builds: { sendBatch(messages: { body: BuildRequest }[]): Promise<unknown> };
  readonly policy: PlanPolicy;
  /** Another one each time; a builder of such a message takes over from the builder of its earlier delivery. */
  newNonce(): string;
  log(event: Readonly<Record<string, unknown>>): void;
}

/** Queues take at most 100 messages in a batch; D1 is asked for as many transitions at once. */
const CHUNK = 100;

/** One tick. Safe to run at any time and twice at once: every transition holds only from the status and fence it was decided on. */
export async function plan(deps: PlannerDeps): Promise<{ readonly changed: number; readonly queued: number }> {
  const { rows, unreadable } = await activePartitions(deps.db);
  for (const { message } of unreadable) deps.log({ event: "partition_unreadable", error: message });
  const transitions = planTransitions(rows, deps.policy);
  const queued = transitions.filter(({ queue, native }) => queue && !native);
  for (let start = 0; start < transitions.length; start += CHUNK) {
    await deps.db.batch(
      transitions.slice(start, start + CHUNK).flatMap((transition) => applyTransition(deps.db, transition)),
    );
  }
  // Sent after the state was turned: a message that overtook it would find nothing to build. One that is lost is sent again.
  for (let start = 0; start < queued.length; start += CHUNK) {
    await deps.builds.sendBatch(
      queued
        .slice(start, start + CHUNK)
        .map(({ domain, date }) => ({ body: { domain, date, nonce: deps.newNonce() } })),
    );
  }
  const pinned = rows.filter((row) => row.pinned).length;
  if (transitions.length > 0)
    deps.log({ event: "plan", changed: transitions.length, queued: queued.length, ...(pinned > 0 ? { pinned } : {}) });
  return { changed: transitions.length, queued: queued.length };
}

/** `native`: a native builder builds it. */
interface Transition extends PlannedTransition {
  readonly native: boolean;
}

/** Pure: rows of D1 to transitions. Left alone are rows of a domain that this deploy does not know, and what a rollback holds. */
export function planTransitions(rows: readonly PartitionRow[], policy: PlanPolicy): Transition[] {
  const planned = rows.flatMap((row) => {
    const partition = partitionOf(row);
    return partition === undefined || !policy.knows(partition.domain) || row.pinned ? [] : [{ row, partition }];
  });
  const unsettled = Map.groupBy(
    planned.flatMap(({ partition }) => (isUnsettled(partition) ? [partition] : [])),
    ({ domain }) => domain,
  );
  const readsUnsettled = ({ domain, date }: Partition): boolean =>
    policy
      .partitionsRead(domain, date)
      .some((read) => unsettled.get(read.domain)?.some((input) => read.from <= input.date && input.date <= read.to));
  return planned.flatMap(({ row, partition }) => {
    const inputsUnsettled = partition.awaitsClosing && readsUnsettled(partition);
    const decision = decide({ ...partition, inputsUnsettled }, policy, row.now);
    if (decision === undefined) return [];
    const native = policy.isNative(row.domain, row.date, row.native);
    // Builders ask for it by themselves: no message is sent, and nothing is to be sent again.
    if (native && decision.status === row.status && row.queued_at > 0) return [];
    return [
      {
        domain: row.domain,
        date: row.date,
        from: row.status,
        to: decision.status,
        fence: row.fence,
        retryCount: decision.retryCount,
        queue: decision.queue,
        native,
        closing: decision.closing === true,
      },
    ];
  });
}

function partitionOf(row: PartitionRow): Partition | undefined {
  const status = statusOf(row.status);
  if (status === undefined) return undefined;
  return {
    domain: row.domain,
    date: row.date,
    status,
    retryCount: row.retry_count,
    version: row.version,
    builtVersion: row.built_version,
    news: row.news,
    changedAt: row.changed_at,
    unseenRows: row.unseen_rows,
    failedVersion: row.failed_version,
    failureClass: row.failure_class,
    leaseUntil: row.lease_until,
    queuedAt: row.queued_at,
    notBefore: row.not_before,
    awaitsClosing: row.awaits_closing,
    inputsUnsettled: false,
  };
}

function statusOf(text: string): PartitionStatus | undefined {
  return PARTITION_STATUSES.find((status) => status === text);
}
