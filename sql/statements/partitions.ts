/** The state of partitions in D1: what the planner reads and turns. Times in milliseconds are D1's clock. */
import { type ReadableRows, rowsOf } from "../rows/row.ts";
import { ONE_MORE_CHANGE } from "./input-changes.ts";
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
  /** Some of the inputs that no build saw are new, and no rebuild of what was there. */
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
  /** Its size has native builders build it. */
  readonly native: boolean;
  /** What is published was not judged by the checks that wait for the closing, and can be: its bronze is not retired. */
  readonly awaits_closing: boolean;
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
    native: row.flag("native"),
    awaits_closing: row.flag("awaits_closing"),
  }),
);

/**
 * Partitions that may need something: they have inputs that no build saw, or a status other than DONE, or their date has ended and checks
 * wait for the closing. DEAD ones wait for an operator and are left out. A row that somebody edited keeps no other from being planned.
 * Each part of the union names its index, which SQLite would not choose: so a tick reads what is active and not what exists.
 */
export async function activePartitions(db: D1Database): Promise<ReadableRows<PartitionRow>> {
  return ACTIVE.readable(
    await db
      .prepare(
        `WITH active AS (
         SELECT domain, partition_date FROM partition_inputs WHERE version <> built_version
         UNION
         SELECT domain, partition_date FROM partition_meta INDEXED BY partition_meta_active WHERE status <> 'DONE' AND status <> 'DEAD'
         UNION
         SELECT domain, partition_date FROM partition_leases INDEXED BY partition_leases_awaiting WHERE awaits_closing = 1 AND partition_date < substr(${NOW_TEXT}, 1, 10)
       )
       SELECT a.domain, a.partition_date, coalesce(m.status, 'UNDISCOVERED') AS status, coalesce(m.retry_count, 0) AS retry_count,
              coalesce(i.version, 0) AS version, coalesce(i.built_version, 0) AS built_version,
              coalesce(i.version - i.built_version > coalesce(r.replays - r.built_replays, 0), 0) AS news,
              coalesce(i.changed_at, 0) AS changed_at,
              (SELECT coalesce(sum(d.rows), 0) FROM bronze_file_dates d WHERE d.topic = a.domain AND d.partition_date = a.partition_date
                AND d.registration > i.unseen_after) AS unseen_rows,
              l.failed_version, l.failure_class, coalesce(l.lease_until, 0) AS lease_until,
              coalesce(l.queued_at, 0) AS queued_at, coalesce(l.not_before, 0) AS not_before, coalesce(l.fence, 0) AS fence, ${NOW_MS} AS now,
              coalesce(l.awaits_closing, 0) AND NOT EXISTS (SELECT 1 FROM sealed_partitions s
                WHERE s.topic = a.domain AND s.partition_date = a.partition_date) AS awaits_closing,
              EXISTS (SELECT 1 FROM pinned_partitions n WHERE n.domain = a.domain AND n.partition_date = a.partition_date) AS pinned,
              EXISTS (SELECT 1 FROM native_partitions z WHERE z.domain = a.domain AND z.partition_date = a.partition_date) AS native
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
  /** The partition has closed: that is a change of its inputs, which no build saw yet. */
  readonly closing: boolean;
}

/**
 * Turns a partition's status, if it still is what the decision was made on. The fence is part of that: a status that came
 * back with another lease in between is another one. Every statement has the same guard; the status itself turns last.
 */
export function applyTransition(db: D1Database, change: PlannedTransition): D1PreparedStatement[] {
  const { domain, date, from, to, fence, retryCount, queue, closing } = change;
  const unchanged = `coalesce((SELECT status FROM partition_meta WHERE domain = ?1 AND partition_date = ?2), 'UNDISCOVERED') = ?3
    AND coalesce((SELECT fence FROM partition_leases WHERE domain = ?1 AND partition_date = ?2), 0) = ?4`;
  const guarded = (sql: string, ...values: (string | number)[]): D1PreparedStatement =>
    db.prepare(sql).bind(domain, date, from, fence, ...values);
  return [
    guarded(
      `INSERT INTO partition_leases (domain, partition_date) SELECT ?1, ?2 WHERE ${unchanged} ON CONFLICT DO NOTHING`,
    ),
    // Out of IN_FLIGHT only an expired lease leads here: its builder is lost, and must not publish any more.
    guarded(`${endRun("LOST")} AND l.run_id IS NOT NULL AND ?3 = 'IN_FLIGHT' AND ${unchanged}`),
    guarded(
      `UPDATE partition_leases SET queued_at = iif(?5, ${NOW_MS}, queued_at), late = iif(?6, 1, late),
         vanished = vanished + (?3 = 'IN_FLIGHT' AND run_id IS NOT NULL), run_id = iif(?3 = 'IN_FLIGHT', NULL, run_id)
       WHERE domain = ?1 AND partition_date = ?2 AND ${unchanged}`,
      queue ? 1 : 0,
      to === "LATE" ? 1 : 0,
    ),
    ...(closing
      ? [
          guarded(
            `INSERT INTO partition_inputs (domain, partition_date, version) SELECT ?1, ?2, 1 WHERE ${unchanged}
             ON CONFLICT DO UPDATE SET ${ONE_MORE_CHANGE}`,
          ),
        ]
      : []),
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
