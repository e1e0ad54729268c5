/** What `/metrics` reads of the catalog. Bounded by topics, tables and what is wrong, never by how much was ever stored. */
import { type TopicProgress, topicProgress } from "./progress.ts";

/** Upper bounds of the durations of runs in seconds, and their columns in `run_totals`. */
export const RUN_BUCKETS = [
  [1, "le_1"],
  [5, "le_5"],
  [15, "le_15"],
  [60, "le_60"],
  [300, "le_300"],
  [900, "le_900"],
] as const;

export type RunTotals = {
  readonly domain: string;
  readonly status: string;
  readonly runs: number;
  readonly seconds: number;
} & Readonly<Record<(typeof RUN_BUCKETS)[number][1], number>>;

export interface EventTotals {
  readonly topic: string;
  /** Dead letters: `source topic|error type`; else empty. */
  readonly detail: string;
  readonly events: number;
}

export interface PartitionTotals {
  readonly status: string;
  readonly partitions: number;
}

export interface OpenAlertRow {
  readonly alert_key: string;
  /** JSON of the condition. */
  readonly condition: string;
}

export interface AlertEventTotals {
  readonly post_state: string;
  readonly events: number;
}

export interface TopicBacklog {
  readonly topic: string;
  readonly rows: number;
  /** ISO 8601 UTC; null: nothing waits. */
  readonly oldest: string | null;
}

export interface TopicDrift {
  readonly topic: string;
  readonly fields: number;
}

export interface CatalogMetrics {
  /** As buffers said with their last flush or to the watchdog. */
  readonly backlogs: readonly TopicBacklog[];
  readonly runs: readonly RunTotals[];
  /** Of the hours of reception from `fromHour` on. */
  readonly events: readonly EventTotals[];
  /** Without DONE: of those there are as many as days. */
  readonly partitions: readonly PartitionTotals[];
  readonly alerts: readonly OpenAlertRow[];
  readonly alertEvents: readonly AlertEventTotals[];
  readonly topics: readonly TopicProgress[];
  /** Fields that events brought and no schema has. */
  readonly drift: readonly TopicDrift[];
  /** What D1 bills for this. */
  readonly rowsRead: number;
}

/** `fromHour`: `YYYY-MM-DDTHH`. Every query uses an index, or reads a table that is small by what it is. */
export async function catalogMetrics(
  db: D1Database,
  topics: readonly { readonly topic: string; readonly table: string }[],
  fromHour: string,
): Promise<CatalogMetrics> {
  const [runs, events, partitions, alerts, alertEvents, progress, backlogs, drift] = await Promise.all([
    db.prepare("SELECT * FROM run_totals ORDER BY domain, status").all<RunTotals>(),
    db
      .prepare(
        "SELECT topic, detail, sum(events) AS events FROM ledger WHERE hour >= ?1 GROUP BY topic, detail ORDER BY topic, detail",
      )
      .bind(fromHour)
      .all<EventTotals>(),
    db
      .prepare(
        "SELECT status, count(*) AS partitions FROM partition_meta INDEXED BY partition_meta_active WHERE status <> 'DONE' GROUP BY status ORDER BY status",
      )
      .all<PartitionTotals>(),
    db.prepare("SELECT alert_key, condition FROM alerts ORDER BY alert_key LIMIT 1000").all<OpenAlertRow>(),
    db
      .prepare("SELECT post_state, count(*) AS events FROM alert_events GROUP BY post_state ORDER BY post_state")
      .all<AlertEventTotals>(),
    topicProgress(db, topics).all<TopicProgress>(),
    db
      .prepare(
        "SELECT topic, sum(buffered_rows) AS rows, min(oldest_unflushed) AS oldest FROM shards WHERE retired_at IS NULL GROUP BY topic ORDER BY topic",
      )
      .all<TopicBacklog>(),
    db.prepare("SELECT topic, count(*) AS fields FROM unknown_fields GROUP BY topic ORDER BY topic").all<TopicDrift>(),
  ]);
  const rowsRead = [runs, events, partitions, alerts, alertEvents, progress, backlogs, drift].reduce(
    (sum, { meta }) => sum + meta.rows_read,
    0,
  );
  return {
    runs: runs.results,
    events: events.results,
    partitions: partitions.results,
    alerts: alerts.results,
    alertEvents: alertEvents.results,
    topics: progress.results,
    backlogs: backlogs.results,
    drift: drift.results,
    rowsRead,
  };
}
