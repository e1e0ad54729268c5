/** The state of partitions in D1: what the planner reads and turns, and the lease of a builder. Times in milliseconds are D1's clock. */
import { type ReadableRows, rowsOf } from "../rows/row.ts";
import type { RowValues } from "../rows/row-error.ts";
import { endRun } from "./runs.ts";

const NOW_MS = "CAST(unixepoch('subsec') * 1000 AS INTEGER)";
const NOW_TEXT = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')";

export interface PartitionRow {
  readonly domain: string;
  readonly date: string;
  readonly status: string;
  readonly retry_count: number;
  readonly version: number;
  readonly built_version: number;
  /** Some of the inputs that no build saw are new, and not a replay of what was there. */
  readonly news: boolean;
  /** When the first change came that no build saw, by D1's clock; 0: not known. */
  readonly changed_at: number;
  /** Of a topic: rows that were registered since then, but for those that came while a build ran. */
  readonly unseen_rows: number;
  readonly failed_version: number | null;
  readonly failure_class: "data" | "system" | null;
  readonly lease_until: number;
  readonly queued_at: number;
  readonly not_before: number;
  readonly fence: number;
  /** D1's clock when the row was read. */
  readonly now: number;
  /** A rollback holds it at an older version. */
  readonly pinned: boolean;
}

const PARTITION = {
  table: "partition_meta",
  key: ["domain", "partition_date"],
  remedy: "delete the row: the planner discovers the partition anew",
} as const;

const ACTIVE = rowsOf(
  PARTITION,
  (row): PartitionRow => ({
    domain: row.text("domain"),
    date: row.date("partition_date"),
    status: row.text("status"),
    retry_count: row.integer("retry_count"),
    version: row.integer("version"),
    built_version: row.integer("built_version"),
    news: row.flag("news"),
    changed_at: row.integer("changed_at"),
    unseen_rows: row.integer("unseen_rows"),
    failed_version: row.integerOrNull("failed_version"),
    failure_class: row.oneOfOrNull("failure_class", ["data", "system"]),
    lease_until: row.integer("lease_until"),
    queued_at: row.integer("queued_at"),
    not_before: row.integer("not_before"),
    fence: row.integer("fence"),
    now: row.integer("now"),
    pinned: row.flag("pinned"),
  }),
);

/**
 * Partitions that may need something: inputs that no build saw, or a status other than DONE. Indexed reads, so a
 * tick costs what is active, and the files of topics that no build saw, not what exists. DEAD ones wait for an operator and are left out. A row that somebody edited keeps
 * no other from being planned.
 */
export async function activePartitions(db: D1Database): Promise<ReadableRows<PartitionRow>> {
  return ACTIVE.readable(
    await db
      .prepare(
        `WITH active AS (
         SELECT domain, partition_date FROM partition_inputs WHERE version <> built_version
         UNION
         SELECT domain, partition_date FROM partition_meta WHERE status <> 'DONE' AND status <> 'DEAD'
       )
       SELECT a.domain, a.partition_date, coalesce(m.status, 'UNDISCOVERED') AS status, coalesce(m.retry_count, 0) AS retry_count,
              coalesce(i.version, 0) AS version, coalesce(i.built_version, 0) AS built_version,
              coalesce(i.version - i.built_version > coalesce(r.replays - r.built_replays, 0), 0) AS news,
              coalesce(i.changed_at, 0) AS changed_at,
              (SELECT coalesce(sum(d.rows), 0) FROM bronze_file_dates d WHERE d.topic = a.domain AND d.partition_date = a.partition_date
                AND d.registration > i.unseen_after) AS unseen_rows,
              l.failed_version, l.failure_class, coalesce(l.lease_until, 0) AS lease_until,
              coalesce(l.queued_at, 0) AS queued_at, coalesce(l.not_before, 0) AS not_before, coalesce(l.fence, 0) AS fence, ${NOW_MS} AS now,
              EXISTS (SELECT 1 FROM pinned_partitions n WHERE n.domain = a.domain AND n.partition_date = a.partition_date) AS pinned
       FROM active a
       LEFT JOIN partition_meta m USING (domain, partition_date)
       LEFT JOIN partition_inputs i USING (domain, partition_date)
       LEFT JOIN partition_leases l USING (domain, partition_date)
       LEFT JOIN partition_replays r USING (domain, partition_date)
       ORDER BY a.domain, a.partition_date`,
      )
      .all(),
  );
}

export interface PlannedTransition {
  readonly domain: string;
  readonly date: string;
  readonly from: string;
  readonly to: string;
  /** The fence that the decision was made on. */
  readonly fence: number;
  readonly retryCount: number;
  readonly queue: boolean;
}

/**
 * Turns a partition's status, if it still is what the decision was made on. The fence is part of that: a status that came
 * back with another lease in between is another one. Every statement has the same guard; the status itself turns last.
 */
export function applyTransition(db: D1Database, change: PlannedTransition): D1PreparedStatement[] {
  const { domain, date, from, to, fence, retryCount, queue } = change;
  const unchanged = `coalesce((SELECT status FROM partition_meta WHERE domain = ?1 AND partition_date = ?2), 'UNDISCOVERED') = ?3
    AND coalesce((SELECT fence FROM partition_leases WHERE domain = ?1 AND partition_date = ?2), 0) = ?4`;
  const guarded = (sql: string, ...values: (string | number)[]): D1PreparedStatement =>
    db.prepare(sql).bind(domain, date, from, fence, ...values);
  return [
    guarded(
      `INSERT INTO partition_leases (domain, partition_date) SELECT ?1, ?2 WHERE ${unchanged} ON CONFLICT DO NOTHING`,
    ),
    // Out of IN_FLIGHT only an expired lease leads here: whoever held it is lost, and must not publish any more.
    guarded(`${endRun("LOST")} AND l.run_id IS NOT NULL AND ?3 = 'IN_FLIGHT' AND ${unchanged}`),
    guarded(
      `UPDATE partition_leases SET queued_at = iif(?5, ${NOW_MS}, queued_at), late = iif(?6, 1, late), run_id = iif(?3 = 'IN_FLIGHT', NULL, run_id)
       WHERE domain = ?1 AND partition_date = ?2 AND ${unchanged}`,
      queue ? 1 : 0,
      to === "LATE" ? 1 : 0,
    ),
    from === "UNDISCOVERED"
      ? guarded(
          `INSERT INTO partition_meta (domain, partition_date, status) SELECT ?1, ?2, ?5 WHERE ${unchanged} ON CONFLICT DO UPDATE SET status = excluded.status`,
          to,
        )
      : guarded(
          `UPDATE partition_meta SET status = ?5, retry_count = ?6, updated_at = ${NOW_TEXT} WHERE domain = ?1 AND partition_date = ?2 AND ${unchanged}`,
          to,
          retryCount,
        ),
  ];
}

export interface Lease {
  readonly domain: string;
  readonly date: string;
  readonly runId: string;
  readonly fence: number;
  /** The input version that this build will have seen. */
  readonly version: number;
  /** How many of the changes of the inputs, all in all, were replays. */
  readonly replays: number;
  /** Whether there is nothing new since the last build: what reads the table has nothing new either. */
  readonly replay: boolean;
  /** Whether the partition's bronze was retired before: it cannot be built again. */
  readonly sealed: boolean;
  /** Retries that came before it, for the backoff of the next. */
  readonly retryCount: number;
}

const BUILDABLE = "('PENDING', 'RETRYING', 'REPROCESSING')";

const LEASES = rowsOf(PARTITION, (row) => ({
  fence: row.integer("fence"),
  version: row.integer("version"),
  replays: row.integer("replays"),
  replay: row.flag("replay"),
  sealed: row.flag("sealed"),
  retryCount: row.integer("retry_count"),
}));

/** Takes the lease of a partition that waits for a build, or gives undefined when it does not wait or somebody holds it. */
export async function acquireLease(
  db: D1Database,
  domain: string,
  date: string,
  runId: string,
  leaseMs: number,
): Promise<Lease | undefined> {
  const held = "EXISTS (SELECT 1 FROM partition_leases WHERE domain = ?1 AND partition_date = ?2 AND run_id = ?3)";
  const free = `l.lease_until < ${NOW_MS}
           AND NOT EXISTS (SELECT 1 FROM pinned_partitions WHERE domain = ?1 AND partition_date = ?2)
           AND EXISTS (SELECT 1 FROM partition_meta WHERE domain = ?1 AND partition_date = ?2 AND status IN ${BUILDABLE})`;
  const results = await db.batch<RowValues>([
    // Whoever held it before did not end its run: a status that an operator set let this one in without the planner.
    db.prepare(`${endRun("LOST")} AND l.run_id IS NOT NULL AND ${free}`).bind(domain, date),
    db
      .prepare(
        `UPDATE partition_leases AS l SET fence = fence + 1, run_id = ?3, started_at = ${NOW_TEXT}, lease_until = ${NOW_MS} + ?4
         WHERE domain = ?1 AND partition_date = ?2 AND ${free}`,
      )
      .bind(domain, date, runId, leaseMs),
    db
      .prepare(
        `SELECT l.domain, l.partition_date, l.fence, coalesce(i.version, 0) AS version, coalesce(r.replays, 0) AS replays,
                coalesce(i.version - i.built_version, 0) <= coalesce(r.replays - r.built_replays, 0) AS replay, m.retry_count,
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
