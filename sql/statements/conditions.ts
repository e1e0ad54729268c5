/** What the conditions that alerts are made of ask the catalog. Each query is bounded: it reads what is wrong, not all there is. */
import { rowsOf } from "../rows/row.ts";
import { readableChecks } from "./quality.ts";

export interface FailedPartition {
  readonly domain: string;
  readonly partition_date: string;
  readonly status: string;
  readonly failure_class: "data" | "system";
  readonly retry_count: number;
  readonly run_id: string | null;
  readonly error_message: string | null;
}

const FAILED_PARTITIONS = rowsOf(
  {
    table: "partition_meta",
    key: ["domain", "partition_date"],
    remedy: "delete the row: the partition is then built from its beginning",
  },
  (row): FailedPartition => ({
    domain: row.text("domain"),
    partition_date: row.date("partition_date"),
    status: row.text("status"),
    failure_class: row.oneOf("failure_class", ["data", "system"]),
    retry_count: row.integer("retry_count"),
    run_id: row.textOrNull("run_id"),
    error_message: row.textOrNull("error_message"),
  }),
);

/** Partitions whose last finished build failed, from the failure until a build succeeds; without those that a check blocked. The index is named because the order of the rows would tempt SQLite to read the whole table. */
export async function failedPartitions(db: D1Database, limit: number): Promise<FailedPartition[]> {
  return await FAILED_PARTITIONS.all(
    db
      .prepare(
        `SELECT m.domain, m.partition_date, m.status, l.failure_class, m.retry_count, m.run_id, m.error_message
       FROM partition_meta m INDEXED BY partition_meta_active JOIN partition_leases l USING (domain, partition_date)
       WHERE m.status <> 'DONE' AND l.failure_class IS NOT NULL
         AND (m.status = 'DEAD' OR coalesce(m.error_message, '') NOT LIKE 'QualityGateError:%')
       ORDER BY m.domain, m.partition_date LIMIT ?1`,
      )
      .bind(limit),
  );
}

export interface BlockingResult {
  readonly domain: string;
  readonly partition_date: string;
  readonly run_id: string;
  readonly check_name: string;
  readonly metric: string;
  /** null: the check gave no number. */
  readonly measured: number | null;
  /** JSON: `{"mustBe": 0}`. */
  readonly bound: string;
  readonly candidate: string | null;
}

const BLOCKING_RESULTS = rowsOf(
  {
    table: "ended_runs",
    key: ["domain", "partition_date", "run_id"],
    remedy: "delete the row: its next build tells the checks again",
  },
  (row): BlockingResult => ({
    domain: row.text("domain"),
    partition_date: row.date("partition_date"),
    run_id: row.text("run_id"),
    check_name: row.text("check_name"),
    metric: row.text("metric"),
    measured: row.numberOrNull("measured"),
    bound: row.text("bound"),
    candidate: row.textOrNull("candidate"),
  }),
);

/** The blocking checks that failed in the last build of partitions that have not been published since. CROSS JOIN is SQLite's word for the order of the loops: from the few that failed. */
export async function blockingResults(db: D1Database, limit: number): Promise<BlockingResult[]> {
  return await BLOCKING_RESULTS.all(
    db
      .prepare(
        `WITH failed AS MATERIALIZED (
         SELECT m.domain, m.partition_date FROM partition_meta m INDEXED BY partition_meta_active JOIN partition_leases l USING (domain, partition_date)
         WHERE m.status <> 'DONE' AND l.failure_class = 'data')
       SELECT run.domain, run.partition_date, run.run_id, q.value ->> 'check_name' AS check_name, q.value ->> 'metric' AS metric,
              q.value ->> 'measured' AS measured, q.value ->> 'bound' AS bound, q.value ->> 'candidate' AS candidate
       FROM failed f CROSS JOIN ended_runs run ON run.domain = f.domain AND run.partition_date = f.partition_date AND run.run_id =
         (SELECT e.run_id FROM ended_runs e WHERE e.domain = f.domain AND e.partition_date = f.partition_date AND e.status = 'FAILED'
          ORDER BY e.started_at DESC LIMIT 1), json_each(${readableChecks("run.checks")}, '$.results') q
       WHERE q.value ->> 'passed' = 0 AND q.value ->> 'on_fail' = 'block'
       UNION ALL
       -- Of a version that wrote a row for each result; no build has ended since.
       SELECT f.domain, f.partition_date, q.run_id, q.check_name, q.metric, q.measured, q.bound, q.candidate
       FROM failed f CROSS JOIN quality_results q ON q.run_id =
         (SELECT e.run_id FROM runs e WHERE e.domain = f.domain AND e.partition_date = f.partition_date AND e.status = 'FAILED'
          ORDER BY e.started_at DESC LIMIT 1)
       WHERE q.passed = 0 AND q.on_fail = 'block'
         AND NOT EXISTS (SELECT 1 FROM ended_runs e WHERE e.domain = f.domain AND e.partition_date = f.partition_date)
       ORDER BY 1, 2, 4 LIMIT ?1`,
      )
      .bind(limit),
  );
}

export interface HourTotals {
  readonly topic: string;
  readonly accepted: number;
  readonly rejected: number;
}

const HOUR_TOTALS = rowsOf(
  { table: "ledger", key: ["topic"], remedy: "let its hour pass" },
  (row): HourTotals => ({
    topic: row.text("topic"),
    accepted: row.integer("accepted"),
    rejected: row.integer("rejected"),
  }),
);

/** What the ledger says of one hour of reception (`YYYY-MM-DDTHH:00:00Z`), by the topic that events were sent to. */
export async function hourTotals(db: D1Database, hour: string): Promise<HourTotals[]> {
  return await HOUR_TOTALS.all(
    db
      .prepare(
        `SELECT topic, sum(accepted) AS accepted, sum(rejected) AS rejected FROM (
         SELECT topic, events AS accepted, 0 AS rejected FROM ledger WHERE hour = ?1 AND topic <> 'dead_letters'
         UNION ALL
         SELECT substr(detail, 1, instr(detail, '|') - 1), 0, events FROM ledger WHERE hour = ?1 AND topic = 'dead_letters' AND detail <> ''
       ) GROUP BY topic ORDER BY topic`,
      )
      .bind(hour),
  );
}

export interface RevisedPartition {
  readonly domain: string;
  readonly partition_date: string;
  readonly revisions: number;
  readonly processed_at: string;
}

const REVISED = rowsOf(
  { table: "partition_leases", key: ["domain", "partition_date"], remedy: "set its revisions to 0" },
  (row): RevisedPartition => ({
    domain: row.text("domain"),
    partition_date: row.date("partition_date"),
    revisions: row.integer("revisions"),
    processed_at: row.time("processed_at"),
  }),
);

/** Partitions of these domains that were published after `since` (ISO 8601 UTC) and revised at least once; of the 200 latest dates that ever were. */
export async function revisedPartitions(
  db: D1Database,
  domains: readonly string[],
  since: string,
): Promise<RevisedPartition[]> {
  return await REVISED.all(
    db
      .prepare(
        `WITH revised AS (
         SELECT domain, partition_date, revisions FROM partition_leases WHERE revisions > 0 ORDER BY partition_date DESC LIMIT 200
       )
       SELECT r.domain, r.partition_date, r.revisions, m.processed_at
       FROM revised r JOIN partition_meta m USING (domain, partition_date)
       WHERE m.processed_at >= ?1 AND r.domain IN (SELECT value FROM json_each(?2)) ORDER BY r.domain, r.partition_date`,
      )
      .bind(since, JSON.stringify(domains)),
  );
}
