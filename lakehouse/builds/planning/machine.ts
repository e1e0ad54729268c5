/**
 * The life of a partition (DESIGN section 6). Pure: what is known of it and the time in, at most one change of state and
 * whether to queue a build out. The build consumer makes the other changes (to IN_FLIGHT, DONE, FAILED), under its lease.
 *
 *     UNDISCOVERED -> PENDING -> IN_FLIGHT -> DONE -> PENDING (new input while open)
 *                                                           (or a backfill, of the same input, at any time)
 *                                          -> DONE -> LATE -> REPROCESSING -> IN_FLIGHT (new input after closing)
 *     IN_FLIGHT -> FAILED -> RETRYING -> IN_FLIGHT;  IN_FLIGHT -> RETRYING (lease expired);  past the retries: DEAD
 *     FAILED, DEAD -> PENDING (a backfill, or a person);  FAILED -> DONE (a person discards what is held back)
 */
import { waitAfter } from "../../../schemas/backoff.ts";

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
  readonly failedVersion: number | null;
  readonly failureClass: "data" | "system" | null;
  /** Milliseconds since the epoch; 0 when not set. */
  readonly leaseUntil: number;
  readonly queuedAt: number;
  readonly notBefore: number;
}

export interface PlanPolicy {
  /** Whether this deploy builds the domain; others are left alone. */
  knows(domain: string): boolean;
  /** When a partition of this domain and date closes, in milliseconds since the epoch. */
  closesAt(domain: string, date: string): number;
  readonly maxRetries: number;
  /** A build message that was sent this long ago and started nothing is taken as lost. */
  readonly requeueAfterMs: number;
}

export interface Decision {
  readonly status: PartitionStatus;
  readonly retryCount: number;
  readonly queue: boolean;
  /** Why, in words for the log and `error_message`. */
  readonly reason: string;
}

/** What to do with one partition now; undefined: nothing. */
export function decide(partition: Partition, policy: PlanPolicy, now: number): Decision | undefined {
  const { status, retryCount } = partition;
  const unbuilt = partition.version !== partition.builtVersion;
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
      return unbuilt ? { status: "PENDING", retryCount, queue: true, reason: "first input" } : undefined;
    case "PENDING":
      return queue("PENDING", "waiting for a build");
    case "RETRYING":
      return queue("RETRYING", "waiting for a retry");
    case "LATE":
      return { status: "REPROCESSING", retryCount, queue: true, reason: "late input" };
    case "REPROCESSING":
      return queue("REPROCESSING", "waiting for a rebuild");
    case "DONE":
      // A person discarded what its last build was held back with: as long as nothing is new there is nothing to try.
      if (!unbuilt || partition.version === partition.failedVersion) return undefined;
      if (partition.news && policy.closesAt(partition.domain, partition.date) <= now)
        return stay("LATE", "input after closing");
      return { status: "PENDING", retryCount: 0, queue: true, reason: "new input" };
    case "IN_FLIGHT":
      return partition.leaseUntil < now ? retry("the lease expired: the builder is gone") : undefined;
    case "FAILED":
      if (partition.failureClass === "system")
        return partition.notBefore <= now ? retry("retry after a system failure") : undefined;
      // The same data fails the same way: only another input is worth a try.
      return partition.version !== partition.failedVersion
        ? { status: "RETRYING", retryCount: 0, queue: true, reason: "new input after a data failure" }
        : undefined;
    case "DEAD":
      return undefined;
  }
}

const RETRY_MS = { first: 5_000, longest: 900_000 };

/** Milliseconds before retry number `retryCount + 1`. */
export function backoffMs(retryCount: number): number {
  return waitAfter(RETRY_MS, retryCount);
}
