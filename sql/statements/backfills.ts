/** Backfills: which partitions one may have, and the statements that start, settle and end them. Times in texts are ISO 8601 UTC by D1's clock. */
import { rowsOf, textsOf } from "../rows/row.ts";
import { isNative, type NativeDomains, nativeJson } from "./native-waiting.ts";

export type Reprocess = "none" | "failed" | "completed";

export interface Backfill {
  readonly backfill_id: string;
  readonly domain: string;
  readonly layer: "silver" | "gold";
  readonly from_date: string;
  readonly to_date: string;
  readonly reprocess: Reprocess;
  readonly max_active_runs: number;
  readonly created_by: string;
  readonly created_at: string;
  readonly cancelled_at: string | null;
  readonly ended_at: string | null;
}

/** A partition that a backfill may take. */
export interface BackfillCandidate {
  readonly domain: string;
  readonly partition_date: string;
  /** null: no planner has seen it. */
  readonly status: string | null;
  readonly processed_at: string | null;
  /** Its bronze is retired, it cannot be built again. */
  readonly sealed: boolean;
}

export const BACKFILL_REMEDY = "cancel the backfill and ask for another";
const CANDIDATES = rowsOf(
  { table: "partition_meta", key: ["domain", "partition_date"], remedy: "set the column right, or delete the row" },
  (row): BackfillCandidate => ({
    domain: row.text("domain"),
    partition_date: row.text("partition_date"),
    status: row.textOrNull("status"),
    processed_at: row.textOrNull("processed_at"),
    sealed: row.flag("sealed"),
  }),
);

/** Partitions of these domains that have inputs or a row, with dates in [from, to], the newest first; at most `limit`. */
export async function backfillCandidates(
  db: D1Database,
  domains: readonly string[],
  { from, to }: { readonly from: string; readonly to: string },
  limit: number,
): Promise<BackfillCandidate[]> {
  return await CANDIDATES.all(
    db
      .prepare(
        `WITH known AS (
         SELECT i.domain, i.partition_date FROM json_each(?1) d CROSS JOIN partition_inputs i ON i.domain = d.value AND i.partition_date BETWEEN ?2 AND ?3
         UNION
         SELECT m.domain, m.partition_date FROM json_each(?1) d CROSS JOIN partition_meta m ON m.domain = d.value AND m.partition_date BETWEEN ?2 AND ?3)
       SELECT k.domain, k.partition_date, m.status, m.processed_at,
              EXISTS (SELECT 1 FROM sealed_partitions s WHERE s.topic = k.domain AND s.partition_date = k.partition_date) AS sealed
       FROM known k LEFT JOIN partition_meta m USING (domain, partition_date)
       ORDER BY k.partition_date DESC, k.domain LIMIT ?4`,
      )
      .bind(JSON.stringify(domains), from, to, limit),
  );
}

export type NewBackfill = Omit<Backfill, "created_at" | "cancelled_at" | "ended_at">;

/** All or nothing: one batch. The partitions begin to wait; `advance` starts them. */
export async function createBackfill(
  db: D1Database,
  backfill: NewBackfill,
  partitions: readonly Pick<BackfillCandidate, "domain" | "partition_date">[],
): Promise<void> {
  const { backfill_id, domain, layer, from_date, to_date, reprocess, max_active_runs, created_by } = backfill;
  await db.batch([
    db
      .prepare(
        `INSERT INTO backfills (backfill_id, domain, layer, from_date, to_date, reprocess, max_active_runs, created_by, created_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ${NOW})`,
      )
      .bind(backfill_id, domain, layer, from_date, to_date, reprocess, max_active_runs, created_by),
    db
      .prepare(
        `INSERT INTO backfill_partitions (backfill_id, partition_date, domain, state)
         SELECT ?1, value ->> 1, value ->> 0, 'WAITING' FROM json_each(?2)`,
      )
      .bind(backfill_id, JSON.stringify(partitions.map((each) => [each.domain, each.partition_date]))),
  ]);
}

const NOW = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')";
const NOW_MS = "CAST(unixepoch('subsec') * 1000 AS INTEGER)";
/** As the partial index says it: SQLite uses it for queries that repeat its condition. */
export const OPEN = "state IN ('WAITING', 'STARTED')";

/** The ids of backfills with partitions that are not settled, the oldest first. Without any it reads nothing. */
export async function openBackfills(db: D1Database, limit: number): Promise<string[]> {
  const ids = textsOf({ table: "backfills", remedy: BACKFILL_REMEDY }, "backfill_id");
  return await ids.all(
    db.prepare("SELECT backfill_id FROM backfills WHERE ended_at IS NULL ORDER BY backfill_id LIMIT ?").bind(limit),
  );
}

/** How it is seen that the day's work waits. */
export interface DaysWork {
  readonly behindMs: number;
  readonly native: NativeDomains;
}

/**
 * Settles what was started, starts as many more as may run at once, and ends backfills of which nothing is left. Gives how many were
 * started. Safe at any time and twice at once: each statement decides by what stands when it runs.
 */
export async function advance(db: D1Database, backfillIds: readonly string[], work: DaysWork): Promise<number> {
  const ids = JSON.stringify(backfillIds);
  const results = await db.batch([
    settlePinned(db, ids),
    settle(db, ids),
    ...backfillIds.flatMap((id) => [settleBuilt(db, id), start(db, id, work)]),
    end(db, ids),
  ]);
  return results.reduce((sum, { results: rows }) => sum + rows.length, 0);
}

/** A partition is done once it was published after it was started, failed once it waits for somebody. */
function settle(db: D1Database, ids: string): D1PreparedStatement {
  return db
    .prepare(
      `UPDATE backfill_partitions AS p SET ended_at = ${NOW},
         state = iif(coalesce(m.processed_at > p.started_at, 0) OR m.status = 'DONE', 'DONE', 'FAILED')
       FROM partition_meta m LEFT JOIN partition_leases l ON l.domain = m.domain AND l.partition_date = m.partition_date
       WHERE p.backfill_id IN (SELECT value FROM json_each(?1)) AND p.${OPEN} AND p.state = 'STARTED'
         AND m.domain = p.domain AND m.partition_date = p.partition_date
         AND (m.processed_at > p.started_at OR m.status IN ('DONE', 'DEAD') OR (m.status = 'FAILED' AND l.failure_class = 'data'))`,
    )
    .bind(ids);
}

/** What a rollback holds is built by nobody until a person releases it: waiting for it, the backfill would never end. */
function settlePinned(db: D1Database, ids: string): D1PreparedStatement {
  return db
    .prepare(
      `UPDATE backfill_partitions AS p SET ended_at = ${NOW}, state = 'FAILED' FROM pinned_partitions n
       WHERE p.backfill_id IN (SELECT value FROM json_each(?1)) AND p.${OPEN}
         AND n.domain = p.domain AND n.partition_date = p.partition_date`,
    )
    .bind(ids);
}

/** How many that wait are looked at: those in front may be under way by other builds. */
const LOOKED_AT = 100;
const WAITING = `SELECT * FROM backfill_partitions WHERE backfill_id = ?1 AND ${OPEN} AND state = 'WAITING'
  ORDER BY partition_date DESC, domain LIMIT ${LOOKED_AT}`;

/** What was to be built for the first time, or again since it had failed, and was built meanwhile by the day's work, is done. */
function settleBuilt(db: D1Database, id: string): D1PreparedStatement {
  return db
    .prepare(
      `UPDATE backfill_partitions SET state = 'DONE', ended_at = ${NOW}
       WHERE (backfill_id, partition_date, domain) IN (
         SELECT p.backfill_id, p.partition_date, p.domain FROM (${WAITING}) p
         JOIN backfills b ON b.backfill_id = p.backfill_id AND b.reprocess <> 'completed'
         JOIN partition_meta m ON m.domain = p.domain AND m.partition_date = p.partition_date
         WHERE m.status = 'DONE' AND m.processed_at > b.created_at)`,
    )
    .bind(id);
}

/**
 * Starts what waits, the newest dates first, until `max_active_runs` are under way; only one while the day's work waits, so that a
 * backfill neither delays it nor comes to rest. The day's work waits when a build that was queued `behindMs` ago has not begun. What
 * waits for a native builder keeps nothing else waiting.
 * A partition that is being built now is left for later: its builder may have read what the backfill is to mend. So is one with input
 * that the planner has not seen: it says first whether that came late.
 */
function start(db: D1Database, id: string, { behindMs, native }: DaysWork): D1PreparedStatement {
  return db
    .prepare(
      `UPDATE backfill_partitions SET state = 'STARTED', started_at = ${NOW}
       WHERE (backfill_id, partition_date, domain) IN (
         SELECT p.backfill_id, p.partition_date, p.domain FROM (${WAITING}) p
         LEFT JOIN partition_leases l ON l.domain = p.domain AND l.partition_date = p.partition_date
         LEFT JOIN partition_inputs i ON i.domain = p.domain AND i.partition_date = p.partition_date
         LEFT JOIN partition_meta m ON m.domain = p.domain AND m.partition_date = p.partition_date
         WHERE coalesce(l.lease_until, 0) < ${NOW_MS}
           AND (coalesce(m.status, '') <> 'DONE' OR coalesce(i.version, 0) = coalesce(i.built_version, 0) OR l.failed_version = i.version)
         ORDER BY p.partition_date DESC, p.domain
         LIMIT max(0, coalesce((SELECT iif(${DAY_WAITS}, 1, max_active_runs) FROM backfills WHERE backfill_id = ?1), 0)
           - (SELECT count(*) FROM backfill_partitions WHERE backfill_id = ?1 AND ${OPEN} AND state = 'STARTED')))
       RETURNING backfill_id`,
    )
    .bind(id, behindMs, nativeJson(native));
}

const DAY_WAITS = `EXISTS (
  SELECT 1 FROM partition_meta m INDEXED BY partition_meta_active
  JOIN partition_leases l ON l.domain = m.domain AND l.partition_date = m.partition_date
  WHERE m.status <> 'DONE' AND m.status IN ('PENDING', 'RETRYING', 'REPROCESSING')
    AND NOT ${isNative("?3")} AND l.queued_at > 0 AND l.queued_at <= ${NOW_MS} - ?2 AND l.lease_until < ${NOW_MS} AND l.not_before <= ${NOW_MS}
    AND NOT EXISTS (
      SELECT 1 FROM backfills o JOIN backfill_partitions p ON p.backfill_id = o.backfill_id
      WHERE o.ended_at IS NULL AND p.${OPEN} AND p.state = 'STARTED' AND p.domain = m.domain AND p.partition_date = m.partition_date))`;

function end(db: D1Database, ids: string): D1PreparedStatement {
  return db
    .prepare(
      `UPDATE backfills SET ended_at = ${NOW} WHERE ended_at IS NULL AND backfill_id IN (SELECT value FROM json_each(?1))
         AND NOT EXISTS (SELECT 1 FROM backfill_partitions p WHERE p.backfill_id = backfills.backfill_id AND p.${OPEN})`,
    )
    .bind(ids);
}

/** Nothing more of it is started; what is under way ends. Gives whether there was anything to cancel. */
export async function cancelBackfill(db: D1Database, id: string): Promise<boolean> {
  const [cancelled] = await db.batch([
    db
      .prepare(
        `UPDATE backfills SET cancelled_at = ${NOW} WHERE backfill_id = ?1 AND ended_at IS NULL AND cancelled_at IS NULL RETURNING backfill_id`,
      )
      .bind(id),
    db
      .prepare(
        `UPDATE backfill_partitions SET state = 'CANCELLED', ended_at = ${NOW} WHERE backfill_id = ?1 AND ${OPEN} AND state = 'WAITING'
           AND EXISTS (SELECT 1 FROM backfills WHERE backfill_id = ?1 AND cancelled_at IS NOT NULL)`,
      )
      .bind(id),
    end(db, JSON.stringify([id])),
  ]);
  return cancelled?.results.length === 1;
}

/** Nothing of these domains is built any more, since no deploy has their tables: what backfills had to do with them ends. */
export function cancelDomains(db: D1Database, domains: readonly string[]): D1PreparedStatement[] {
  return [
    db
      .prepare(
        `UPDATE backfill_partitions SET state = 'CANCELLED', ended_at = ${NOW}
         WHERE ${OPEN} AND domain IN (SELECT value FROM json_each(?1))`,
      )
      .bind(JSON.stringify(domains)),
    db.prepare(
      `UPDATE backfills SET cancelled_at = coalesce(cancelled_at, ${NOW}), ended_at = ${NOW} WHERE ended_at IS NULL
         AND NOT EXISTS (SELECT 1 FROM backfill_partitions p WHERE p.backfill_id = backfills.backfill_id AND p.${OPEN})
         AND EXISTS (SELECT 1 FROM backfill_partitions p WHERE p.backfill_id = backfills.backfill_id AND p.state = 'CANCELLED')`,
    ),
  ];
}

/** What was cancelled or failed waits again. Gives how many partitions that are. */
export async function resumeBackfill(db: D1Database, id: string): Promise<number> {
  const [resumed] = await db.batch([
    db
      .prepare(
        `UPDATE backfill_partitions SET state = 'WAITING', started_at = NULL, ended_at = NULL
         WHERE backfill_id = ?1 AND state IN ('CANCELLED', 'FAILED') RETURNING domain`,
      )
      .bind(id),
    db
      .prepare(
        `UPDATE backfills SET cancelled_at = NULL, ended_at = NULL WHERE backfill_id = ?1
           AND EXISTS (SELECT 1 FROM backfill_partitions p WHERE p.backfill_id = ?1 AND p.${OPEN} AND p.state = 'WAITING')`,
      )
      .bind(id),
  ]);
  return resumed?.results.length ?? 0;
}

/** Drops backfills that ended before then (ISO 8601 UTC), at most `limit`, with their partitions; gives how many. May be done again. */
export async function forgetBackfills(db: D1Database, endedBefore: string, limit: number): Promise<number> {
  const old = "SELECT backfill_id FROM backfills WHERE ended_at < ?1 ORDER BY backfill_id LIMIT ?2";
  const [, gone] = await db.batch([
    db.prepare(`DELETE FROM backfill_partitions WHERE backfill_id IN (${old})`).bind(endedBefore, limit),
    db.prepare(`DELETE FROM backfills WHERE backfill_id IN (${old}) RETURNING backfill_id`).bind(endedBefore, limit),
  ]);
  return gone?.results.length ?? 0;
}
