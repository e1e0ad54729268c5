/** The lease of a builder: how a run begins, and how it ends without publishing anything. Times in milliseconds are D1's clock. */
import { rowsOf } from "../rows/row.ts";
import type { RowValues } from "../rows/row-error.ts";
import { COMPACTION, endRun } from "./runs.ts";

const NOW_MS = "CAST(unixepoch('subsec') * 1000 AS INTEGER)";
const NOW_TEXT = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')";

export interface Lease extends StepSize {
  readonly domain: string;
  readonly date: string;
  readonly runId: string;
  readonly fence: number;
  /** The input version that this build will have seen. */
  readonly version: number;
  /** How many of the changes of the inputs, all in all, were rebuilds of what was there. */
  readonly rebuilds: number;
  /** Whether there is nothing new since the last build: what reads the table has nothing new either. */
  readonly rebuild: boolean;
  /** D1's clock when the lease was taken, in milliseconds since the epoch. */
  readonly now: number;
  /** Whether the partition's bronze was retired before: it cannot be built again. */
  readonly sealed: boolean;
  /** Retries that came before it, for the backoff of the next. */
  readonly retryCount: number;
}

const BUILDABLE = "'PENDING', 'RETRYING', 'REPROCESSING'";

const LEASES = rowsOf(
  {
    table: "partition_leases",
    key: ["domain", "partition_date"],
    remedy: "set the column right, or delete the partition's row of partition_meta: the planner discovers it anew",
  },
  (row) => ({
    fence: row.integer("fence"),
    version: row.integer("version"),
    rebuilds: row.integer("rebuilds"),
    rebuild: row.flag("rebuild"),
    now: row.integer("now"),
    sealed: row.flag("sealed"),
    retryCount: row.integer("retry_count"),
    vanished: row.integer("vanished"),
    splits: row.integer("splits"),
    pieces: row.integer("pieces"),
  }),
);

/** A run that wants a partition. */
export interface LeaseRequest {
  readonly domain: string;
  readonly date: string;
  readonly runId: string;
  /** Of the message that asks for the build (`BuildRequest`); null: it has none, and takes no lease from anybody. */
  readonly nonce: string | null;
  readonly leaseMs: number;
  /** Whether what was sent to native builders is left to them. */
  readonly leavesNative?: boolean;
}

/**
 * Takes the lease of a partition that waits for a build, or gives undefined when it does not wait or another builder holds it. A lease
 * that was taken for the same message is taken over: that message comes again only when its builder is gone. Should it be there
 * after all, the fence has grown, and it publishes nothing any more.
 */
export async function acquireLease(
  db: D1Database,
  { domain, date, runId, nonce, leaseMs, leavesNative = false }: LeaseRequest,
): Promise<Lease | undefined> {
  const held = "EXISTS (SELECT 1 FROM partition_leases WHERE domain = ?1 AND partition_date = ?2 AND run_id = ?3)";
  const isStatus = (statuses: string) =>
    `EXISTS (SELECT 1 FROM partition_meta WHERE domain = ?1 AND partition_date = ?2 AND status IN (${statuses}))`;
  const free = `((l.lease_until < ${NOW_MS} AND ${isStatus(BUILDABLE)})
             OR (l.run_id <> ?3 AND l.nonce = ?4 AND ${isStatus(`${BUILDABLE}, 'IN_FLIGHT'`)}))
           AND NOT EXISTS (SELECT 1 FROM pinned_partitions WHERE domain = ?1 AND partition_date = ?2)${
             leavesNative
               ? " AND NOT EXISTS (SELECT 1 FROM native_partitions WHERE domain = ?1 AND partition_date = ?2)"
               : ""
           }`;
  const results = await db.batch<RowValues>([
    // The run before did not end by itself: its builder is gone, or a status that an operator set let this one in without the planner.
    db.prepare(`${endRun("LOST")} AND l.run_id <> ?3 AND ${free}`).bind(domain, date, runId, nonce),
    db
      .prepare(
        `UPDATE partition_leases AS l SET fence = fence + 1, vanished = vanished + (run_id IS NOT NULL AND nonce IS NOT '${COMPACTION}'), run_id = ?3, nonce = ?4,
           started_at = ${NOW_TEXT}, lease_until = ${NOW_MS} + ?5
         WHERE domain = ?1 AND partition_date = ?2 AND ${free}`,
      )
      .bind(domain, date, runId, nonce, leaseMs),
    db
      .prepare(
        `SELECT l.domain, l.partition_date, l.fence, coalesce(i.version, 0) AS version, coalesce(r.replays, 0) AS rebuilds,
                coalesce(i.version - i.built_version, 0) <= coalesce(r.replays - r.built_replays, 0) AS rebuild, ${NOW_MS} AS now, m.retry_count,
                l.vanished, l.splits, l.pieces,
                EXISTS (SELECT 1 FROM sealed_partitions s WHERE s.topic = ?1 AND s.partition_date = ?2) AS sealed
         FROM partition_leases l JOIN partition_meta m USING (domain, partition_date) LEFT JOIN partition_inputs i USING (domain, partition_date)
         LEFT JOIN partition_replays r USING (domain, partition_date)
         WHERE l.domain = ?1 AND l.partition_date = ?2 AND l.run_id = ?3`,
      )
      .bind(domain, date, runId),
    db
      .prepare(
        `UPDATE partition_meta SET status = 'IN_FLIGHT', run_id = ?3, updated_at = ${NOW_TEXT} WHERE domain = ?1 AND partition_date = ?2 AND ${held}`,
      )
      .bind(domain, date, runId),
  ]);
  const [lease] = LEASES.in(results[2]);
  return lease === undefined ? undefined : { domain, date, runId, ...lease };
}

/** How a step is cut since its builders vanished (`lakehouse/builds/planning/splits.ts`). */
export interface StepSize {
  /** Builders that it lost at its present size. */
  readonly vanished: number;
  /** How often it was halved: 0 is a step as steps are. */
  readonly splits: number;
  /** Pieces of that size that are left of it. */
  readonly pieces: number;
}

export interface Failure {
  readonly failureClass: "data" | "system";
  readonly message: string;
  /** Milliseconds until a retry makes sense. */
  readonly backoffMs: number;
  /** What the run's checks found (`quality.ts`); absent where it did not come to them. */
  readonly checks?: string | undefined;
}

/**
 * Ends a run as FAILED and frees the lease; nothing happens when the lease is no longer this run's. A status that an
 * operator set meanwhile stays: it asks for another build.
 */
export function failRun(db: D1Database, lease: Lease, failure: Failure): D1PreparedStatement[] {
  const { domain, date, runId, fence } = lease;
  const held =
    "EXISTS (SELECT 1 FROM partition_leases WHERE domain = ?1 AND partition_date = ?2 AND run_id = ?3 AND fence = ?4)";
  return [
    db
      .prepare(
        `UPDATE partition_meta SET status = 'FAILED', error_message = ?5, updated_at = ${NOW_TEXT} WHERE domain = ?1 AND partition_date = ?2 AND status = 'IN_FLIGHT' AND ${held}`,
      )
      .bind(domain, date, runId, fence, failure.message),
    db
      .prepare(`${endRun("FAILED", { error_message: "?5", checks: "?6" })} AND l.run_id = ?3 AND l.fence = ?4`)
      .bind(domain, date, runId, fence, failure.message, failure.checks ?? null),
    db
      .prepare(
        `UPDATE partition_leases SET lease_until = 0, run_id = NULL, queued_at = 0, failure_class = ?5, failed_version = ?6, not_before = ${NOW_MS} + ?7
         WHERE domain = ?1 AND partition_date = ?2 AND run_id = ?3 AND fence = ?4`,
      )
      .bind(domain, date, runId, fence, failure.failureClass, lease.version, failure.backoffMs),
  ];
}
