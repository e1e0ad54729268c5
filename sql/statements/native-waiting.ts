/** Partitions that wait for a native builder. Times are D1's clock. */
import { rowsOf } from "../rows/row.ts";

const NOW_MS = "CAST(unixepoch('subsec') * 1000 AS INTEGER)";

export interface WaitingPartition {
  readonly domain: string;
  readonly date: string;
  /** Its builder is gone: the planner has to see that first. */
  readonly expired: boolean;
}

const WAITING = rowsOf(
  {
    table: "partition_meta",
    key: ["domain", "partition_date"],
    remedy: "delete the row: the planner discovers the partition anew",
  },
  (row): WaitingPartition => ({
    domain: row.text("domain"),
    date: row.date("partition_date"),
    expired: row.flag("expired"),
  }),
);

/** Whose partitions native builders build: all of them, or those that were sent to them (`native_partitions`). */
export interface NativeDomains {
  readonly all: readonly string[];
  readonly sent: readonly string[];
}

/** An SQL condition: the row `m` of partition_meta is a native builder's. `domains`: a parameter with `nativeJson`. */
export function isNative(domains: string): string {
  return `(m.domain IN (SELECT value FROM json_each(${domains}, '$.all'))
    OR (m.domain IN (SELECT value FROM json_each(${domains}, '$.sent'))
      AND EXISTS (SELECT 1 FROM native_partitions x WHERE x.domain = m.domain AND x.partition_date = m.partition_date)))`;
}

export function nativeJson({ all, sent }: NativeDomains): string {
  return JSON.stringify({ all, sent });
}

/**
 * What a builder may take, the longest asked for first, and what an expired lease holds up behind it. Reads the partitions that wait for any build or have one: of an idle lake that is none.
 */
export async function waitingForNative(
  db: D1Database,
  domains: NativeDomains,
  limit: number,
): Promise<WaitingPartition[]> {
  return await WAITING.all(
    db
      .prepare(
        `SELECT m.domain, m.partition_date, m.status = 'IN_FLIGHT' AS expired
         FROM partition_meta m INDEXED BY partition_meta_active JOIN partition_leases l USING (domain, partition_date)
         WHERE m.status IN ('PENDING', 'RETRYING', 'REPROCESSING', 'IN_FLIGHT') AND m.status <> 'DONE'
           AND l.lease_until < ${NOW_MS} AND (m.status = 'IN_FLIGHT' OR l.not_before <= ${NOW_MS}) AND ${isNative("?1")}
           AND NOT EXISTS (SELECT 1 FROM pinned_partitions p WHERE p.domain = m.domain AND p.partition_date = m.partition_date)
         ORDER BY expired, l.queued_at, m.partition_date, m.domain LIMIT ?2`,
      )
      .bind(nativeJson(domains), limit),
  );
}

const WORK = rowsOf({ table: "partition_meta", key: [], remedy: "ask again" }, (row) => row.integer("partitions"));

/** How many partitions wait for a native builder, or are being built by one. Reads as much as `waitingForNative`. */
export async function nativeWork(db: D1Database, domains: NativeDomains): Promise<number> {
  const count = await WORK.first(
    db
      .prepare(
        `SELECT count(*) AS partitions FROM partition_meta m INDEXED BY partition_meta_active JOIN partition_leases l USING (domain, partition_date)
         WHERE m.status IN ('PENDING', 'RETRYING', 'REPROCESSING', 'IN_FLIGHT') AND m.status <> 'DONE'
           AND (m.status = 'IN_FLIGHT' OR l.not_before <= ${NOW_MS}) AND ${isNative("?1")}
           AND NOT EXISTS (SELECT 1 FROM pinned_partitions p WHERE p.domain = m.domain AND p.partition_date = m.partition_date)`,
      )
      .bind(nativeJson(domains)),
  );
  return count ?? 0;
}

/** What waits for a native builder, as a whole. */
export interface NativeBacklog {
  readonly partitions: number;
  /** The one that was asked for the longest ago, and when, in milliseconds; 0: the planner has yet to see it. */
  readonly domain: string;
  readonly date: string;
  readonly since: number;
  /** When any builder was heard from, to a minute; 0: none in the last day. */
  readonly builderSeen: number;
  readonly now: number;
}

const BACKLOG = rowsOf(
  {
    table: "partition_meta",
    key: ["domain", "partition_date"],
    remedy: "delete the row: the planner discovers the partition anew",
  },
  (row): NativeBacklog => ({
    partitions: row.integer("partitions"),
    domain: row.text("domain"),
    date: row.date("partition_date"),
    since: row.integer("since"),
    builderSeen: row.integer("builder_seen"),
    now: row.integer("now"),
  }),
);

/** Null where nothing waits. */
export async function nativeBacklog(db: D1Database, domains: NativeDomains): Promise<NativeBacklog | null> {
  return await BACKLOG.first(
    db
      .prepare(
        `SELECT count(*) OVER () AS partitions, m.domain, m.partition_date, l.queued_at AS since,
           coalesce((SELECT max(seen_at) FROM builders), 0) AS builder_seen, ${NOW_MS} AS now
         FROM partition_meta m INDEXED BY partition_meta_active JOIN partition_leases l USING (domain, partition_date)
         WHERE m.status IN ('PENDING', 'RETRYING', 'REPROCESSING') AND m.status <> 'DONE'
           AND l.lease_until < ${NOW_MS} AND l.not_before <= ${NOW_MS} AND ${isNative("?1")}
           AND NOT EXISTS (SELECT 1 FROM pinned_partitions p WHERE p.domain = m.domain AND p.partition_date = m.partition_date)
         ORDER BY l.queued_at, m.partition_date, m.domain LIMIT 1`,
      )
      .bind(nativeJson(domains)),
  );
}

/** Has native builders build a partition from now on. */
export function sendToNative(db: D1Database, domain: string, date: string, reason: string): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO native_partitions (domain, partition_date, reason, since) VALUES (?, ?, ?, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
       ON CONFLICT DO NOTHING`,
    )
    .bind(domain, date, reason);
}

/** Dates [from, to] of a table. */
export interface ReadDates {
  readonly table: string;
  readonly from: string;
  readonly to: string;
}

const READ = rowsOf({ table: "published", key: ["table_name"], remedy: "ask again" }, (row) => row.integer("rows"));

/** How many rows stand in what a partition reads. Reads a row of each of its partitions. */
export async function rowsRead(db: D1Database, inputs: readonly ReadDates[]): Promise<number> {
  const rows = await READ.first(
    db
      .prepare(
        `SELECT coalesce(sum(p.rows), 0) AS rows FROM json_each(?1) i
         CROSS JOIN published p ON p.table_name = i.value ->> 'table' AND p.partition_date BETWEEN i.value ->> 'from' AND i.value ->> 'to'`,
      )
      .bind(JSON.stringify(inputs)),
  );
  return rows ?? 0;
}
