/** What `/metrics` reads of the catalog. Bounded by topics, tables and what is wrong, never by how much was ever stored. */
import * as z from "zod";
import { rowsOf } from "../rows/row.ts";
import { TOPIC_PROGRESS, type TopicProgress, topicProgress } from "./progress.ts";

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

/** What metrics say of an alert's condition. */
export interface AlertedCondition {
  readonly kind: string;
  readonly severity: string;
  readonly measured?: number;
}

export interface OpenAlertRow {
  readonly alert_key: string;
  readonly condition: AlertedCondition;
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
  /** Alerts whose rows cannot be read. */
  readonly unreadableAlerts: number;
  readonly alertEvents: readonly AlertEventTotals[];
  readonly topics: readonly TopicProgress[];
  /** Fields that events brought and no schema has. */
  readonly drift: readonly TopicDrift[];
  /** Of the database, in bytes. */
  readonly bytes: number;
  /** What D1 bills for this. */
  readonly rowsRead: number;
}

const alertedCondition: z.ZodType<AlertedCondition> = z.object({
  kind: z.string(),
  severity: z.string(),
  measured: z.number().exactOptional(),
});

const RUNS = rowsOf(
  { table: "run_totals", key: ["domain", "status"], remedy: "delete the row: its counters then begin anew" },
  (row): RunTotals => ({
    domain: row.text("domain"),
    status: row.text("status"),
    runs: row.integer("runs"),
    seconds: row.number("seconds"),
    le_1: row.integer("le_1"),
    le_5: row.integer("le_5"),
    le_15: row.integer("le_15"),
    le_60: row.integer("le_60"),
    le_300: row.integer("le_300"),
    le_900: row.integer("le_900"),
  }),
);

const EVENTS = rowsOf(
  { table: "ledger", key: ["topic", "detail"], remedy: "let its hours pass" },
  (row): EventTotals => ({
    topic: row.text("topic"),
    detail: row.text("detail"),
    events: row.integer("events"),
  }),
);

const PARTITIONS = rowsOf(
  {
    table: "partition_meta",
    key: ["status"],
    remedy: "delete the row: the partition is then built from its beginning",
  },
  (row): PartitionTotals => ({ status: row.text("status"), partitions: row.integer("partitions") }),
);

const ALERTS = rowsOf(
  { table: "alerts", key: ["alert_key"], remedy: "delete the row: the alert then fires anew" },
  (row): OpenAlertRow => ({
    alert_key: row.text("alert_key"),
    condition: row.json("condition", alertedCondition),
  }),
);

const ALERT_EVENTS = rowsOf(
  { table: "alert_events", key: ["post_state"], remedy: "delete the row" },
  (row): AlertEventTotals => ({ post_state: row.text("post_state"), events: row.integer("events") }),
);

const BACKLOGS = rowsOf(
  { table: "shards", key: ["topic"], remedy: "delete the row: its buffer lists itself again with its next append" },
  (row): TopicBacklog => ({
    topic: row.text("topic"),
    rows: row.count("rows"),
    oldest: row.timeOrNull("oldest"),
  }),
);

const DRIFT = rowsOf(
  { table: "unknown_fields", key: ["topic"], remedy: "delete the row: the field is noted again with its next event" },
  (row): TopicDrift => ({ topic: row.text("topic"), fields: row.integer("fields") }),
);

/** `fromHour`: `YYYY-MM-DDTHH:00:00Z`. Every query uses an index, or reads a table that is small by what it is. */
export async function catalogMetrics(
  db: D1Database,
  topics: readonly { readonly topic: string; readonly table: string }[],
  fromHour: string,
): Promise<CatalogMetrics> {
  const [runs, events, partitions, alerts, alertEvents, progress, backlogs, drift] = await Promise.all([
    db.prepare("SELECT * FROM run_totals ORDER BY domain, status").all(),
    db
      .prepare(
        "SELECT topic, detail, sum(events) AS events FROM ledger WHERE hour >= ?1 GROUP BY topic, detail ORDER BY topic, detail",
      )
      .bind(fromHour)
      .all(),
    db
      .prepare(
        "SELECT status, count(*) AS partitions FROM partition_meta INDEXED BY partition_meta_active WHERE status <> 'DONE' GROUP BY status ORDER BY status",
      )
      .all(),
    db.prepare("SELECT alert_key, condition FROM alerts ORDER BY alert_key LIMIT 1000").all(),
    db.prepare("SELECT post_state, count(*) AS events FROM alert_events GROUP BY post_state ORDER BY post_state").all(),
    topicProgress(db, topics).all(),
    db
      .prepare(
        "SELECT topic, sum(buffered_rows) AS rows, min(oldest_unflushed) AS oldest FROM shards WHERE retired_at IS NULL GROUP BY topic ORDER BY topic",
      )
      .all(),
    db.prepare("SELECT topic, count(*) AS fields FROM unknown_fields GROUP BY topic ORDER BY topic").all(),
  ]);
  const open = ALERTS.readable(alerts);
  const metas = [runs, events, partitions, alerts, alertEvents, progress, backlogs, drift].map(({ meta }) => meta);
  return {
    runs: RUNS.in(runs),
    events: EVENTS.in(events),
    partitions: PARTITIONS.in(partitions),
    alerts: open.rows,
    unreadableAlerts: open.unreadable.length,
    alertEvents: ALERT_EVENTS.in(alertEvents),
    topics: TOPIC_PROGRESS.in(progress),
    backlogs: BACKLOGS.in(backlogs),
    drift: DRIFT.in(drift),
    bytes: Math.max(...metas.map((meta) => meta.size_after)),
    rowsRead: metas.reduce((sum, meta) => sum + meta.rows_read, 0),
  };
}
