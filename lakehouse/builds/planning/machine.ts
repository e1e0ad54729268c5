/**
 * The life of a partition (DESIGN section 6). Pure: what is known of it and the time in, at most one change of state and
 * whether to queue a build out. The build consumer makes the other changes (to IN_FLIGHT, DONE, FAILED), under its lease.
 *
 *     UNDISCOVERED -> PENDING -> IN_FLIGHT -> DONE -> PENDING (new input while open)
 *                                                           (or a backfill, of the same input, at any time; or,
 *                                                            once it has closed, for the checks that waited for that)
 *                                          -> DONE -> LATE -> REPROCESSING -> IN_FLIGHT (new input after closing)
 *     IN_FLIGHT -> FAILED -> RETRYING -> IN_FLIGHT;  IN_FLIGHT -> RETRYING (lease expired);  past the retries: DEAD
 *     FAILED, DEAD -> PENDING (a backfill, or a person);  FAILED -> DONE (a person discards what is held back)
 */
import { waitAfter } from "../../../schemas/backoff.ts";
import type { PartitionRange } from "./dependencies.ts";

export const PARTITION_STATUSES = [
  "UNDISCOVERED",
  "PENDING",
  "IN_FLIGHT",
  "DONE",
  "FAILED",
  "RETRYING",
  "DEAD",
  "LATE",
  "REPROCESSING",
] as const;
export type PartitionStatus = (typeof PARTITION_STATUSES)[number];

export interface Partition {
  readonly domain: string;
  readonly date: string;
  readonly status: PartitionStatus;
  readonly retryCount: number;
  /** How often its inputs changed, how much of that the last build saw, and what a failed build had seen. */
  readonly version: number;
  readonly builtVersion: number;
  /** Whether what the last build did not see is new, and not a rebuild of the same inputs. */
  readonly news: boolean;
  /** When the first change came that no build saw; 0: not known. */
  readonly changedAt: number;
  /** Rows of a topic that no build saw. */
  readonly unseenRows: number;
  readonly failedVersion: number | null;
  readonly failureClass: "data" | "system" | null;
  /** Milliseconds since the epoch; 0 when not set. */
  readonly leaseUntil: number;
  readonly queuedAt: number;
  readonly notBefore: number;
  /** The published version was not judged by the checks that wait for the closing. */
  readonly awaitsClosing: boolean;
  /** A build of a partition that it reads is under way, or will be as soon as that closes. */
  readonly inputsUnsettled: boolean;
}

export interface PlanPolicy {
  /** Whether this deploy builds the domain; others are left alone. */
  knows(domain: string): boolean;
  /** When a partition of this domain and date closes, in milliseconds since the epoch. */
  closesAt(domain: string, date: string): number;
  /** When a partition is judged as a whole, likewise: behind its closing. */
  judgedAt(domain: string, date: string): number;
  /** The dated partitions that a partition reads. */
  partitionsRead(domain: string, date: string): readonly PartitionRange[];
  /** Whether native builders build a partition. `sent`: it was sent to them by its size. */
  isNative(domain: string, date: string, sent: boolean): boolean;
  /** How long news waits for more of it, while the partition is open and once it has closed: each build costs, however little is new. */
  waitMs(domain: string, closed: boolean): number;
  readonly maxRetries: number;
  /** A build message that was sent this long ago and started nothing is taken as lost. */
  readonly requeueAfterMs: number;
}

/** So many rows that no build saw are not kept waiting: while the partition is open, and once it has closed. */
export const ENOUGH_ROWS = { open: 100_000, closed: 1_000 } as const;

export interface Decision {
  readonly status: PartitionStatus;
  readonly retryCount: number;
  readonly queue: boolean;
  /** The partition has closed and has nothing new: its build is for the checks that waited for that. */
  readonly closing?: true;
  /** Why, in words for the log and `error_message`. */
  readonly reason: string;
}

/** What to do with one partition now; undefined: nothing. */
export function decide(partition: Partition, policy: PlanPolicy, now: number): Decision | undefined {
  const { status, retryCount } = partition;
  const unbuilt = partition.version !== partition.builtVersion;
  const closesAt = policy.closesAt(partition.domain, partition.date);
  const closed = closesAt <= now;
  const stay = (next: PartitionStatus, reason: string): Decision => ({
    status: next,
    retryCount,
    queue: false,
    reason,
  });
  const queue = (next: PartitionStatus, reason: string): Decision | undefined => {
    if (partition.notBefore > now) return undefined;
    const due = partition.queuedAt + policy.requeueAfterMs <= now;
    if (due) return { status: next, retryCount, queue: true, reason };
    return next === status ? undefined : stay(next, reason);
  };
  const retry = (reason: string): Decision => {
    if (retryCount >= policy.maxRetries)
      return { ...stay("DEAD", `${reason}; ${retryCount} retries used`), retryCount };
    return { status: "RETRYING", retryCount: retryCount + 1, queue: partition.notBefore <= now, reason };
  };

  switch (status) {
    case "UNDISCOVERED":
      // One that was built has lost its row: somebody deleted it, and waits.
      if (!unbuilt || (partition.builtVersion === 0 && !isDue(partition, policy, closesAt, now))) return undefined;
      return { status: "PENDING", retryCount, queue: true, reason: "first input" };
    case "PENDING":
      return queue("PENDING", "waiting for a build");
    case "RETRYING":
      return queue("RETRYING", "waiting for a retry");
    case "LATE":
      if (!isJudged(partition, policy, now) && !isDue(partition, policy, closesAt, now)) return undefined;
      return { status: "REPROCESSING", retryCount, queue: true, reason: "late input" };
    case "REPROCESSING":
      return queue("REPROCESSING", "waiting for a rebuild");
    case "DONE":
      // A person discarded what its last build was held back with: as long as nothing is new there is nothing to try.
      if (partition.version === partition.failedVersion) return undefined;
      if (!unbuilt) {
        if (!isJudged(partition, policy, now)) return undefined;
        return { status: "PENDING", retryCount: 0, queue: true, closing: true, reason: "closed: checks wait for it" };
      }
      // What came before the partition closed and was kept waiting is not late.
      if (partition.news && closed && (partition.changedAt === 0 || partition.changedAt >= closesAt))
        return stay("LATE", "input after closing");
      if (partition.news && !isDue(partition, policy, closesAt, now)) return undefined;
      return { status: "PENDING", retryCount: 0, queue: true, reason: "new input" };
    case "IN_FLIGHT":
      return partition.leaseUntil < now ? retry("the lease expired: the builder is gone") : undefined;
    case "FAILED":
      if (partition.failureClass === "system")
        return partition.notBefore <= now ? retry("retry after a system failure") : undefined;
      // The same data fails the same way: only another input is worth a try.
      return partition.version !== partition.failedVersion && isDue(partition, policy, closesAt, now)
        ? { status: "RETRYING", retryCount: 0, queue: true, reason: "new input after a data failure" }
        : undefined;
    case "DEAD":
      return undefined;
  }
}

/** Whether the checks that wait for the closing are to be judged now. What is built before that is judged again anyway. */
function isJudged({ domain, date, awaitsClosing, inputsUnsettled }: Partition, policy: PlanPolicy, now: number) {
  return awaitsClosing && !inputsUnsettled && policy.judgedAt(domain, date) <= now;
}

/**
 * Whether a build of the partition is under way, or will be as soon as it closes: what reads it is judged behind that. What waits for a
 * person, or for more events that are late, is not waited for.
 */
export function isUnsettled(partition: Partition): boolean {
  switch (partition.status) {
    case "LATE":
      return partition.awaitsClosing;
    case "DONE":
      if (partition.version === partition.failedVersion) return false;
      return partition.awaitsClosing || partition.version !== partition.builtVersion;
    case "FAILED":
      return partition.failureClass === "system";
    case "DEAD":
      return false;
    default:
      return true;
  }
}

/**
 * Whether what no build saw has waited long enough, or is enough. News of an open partition waits for its closing at the longest. A
 * change that nobody dated, or that a clock which has gone back dated in the future, waits no longer.
 */
function isDue(partition: Partition, policy: PlanPolicy, closesAt: number, now: number): boolean {
  const { domain, changedAt, unseenRows } = partition;
  const afterClosing = changedAt >= closesAt;
  if (unseenRows >= (afterClosing ? ENOUGH_ROWS.closed : ENOUGH_ROWS.open)) return true;
  const wait = policy.waitMs(domain, afterClosing);
  const due = afterClosing ? changedAt + wait : Math.min(changedAt + wait, closesAt);
  return changedAt === 0 || changedAt > now || due <= now;
}

const RETRY_MS = { first: 5_000, longest: 900_000 };

/** Milliseconds before retry number `retryCount + 1`. */
export function backoffMs(retryCount: number): number {
  return waitAfter(RETRY_MS, retryCount);
}
