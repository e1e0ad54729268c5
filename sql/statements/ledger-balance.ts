/** What the ledger is closed from, read at one moment: a batch of D1 is one transaction. */

import { HOUR_MS, hourTextAt } from "../../schemas/hours.ts";
import { rowsOf, textsOf } from "../rows/row.ts";
import type { RowValues } from "../rows/row-error.ts";

const TOPICS = textsOf(
  { table: "shards", remedy: "delete the row: its buffer lists itself again with its next append" },
  "topic",
);

export interface AppendedHour {
  readonly topic: string;
  /** `YYYY-MM-DDTHH:00:00Z`, of reception. */
  readonly hour: string;
  readonly events: number;
  /** When a shard's total last grew; null when some total is from before that was noted. */
  readonly published_at: string | null;
}

/** Bronze rows of one partition received in one hour, and where its last build says that they went. */
export interface BronzeHour {
  readonly topic: string;
  readonly partition_date: string;
  readonly hour: string;
  readonly bronze: number;
  /** Of the newest file; null when some file is from before hours were counted. */
  readonly registered_at: string | null;
  readonly silver: number;
  readonly duplicates: number;
  readonly superseded: number;
  readonly quarantined: number;
  readonly expired: number;
  /** Of silver and quarantined: refused at first, then brought in by a replay. */
  readonly replayed: number;
  /** 1 when the last build saw all that is registered for the partition. */
  readonly current: number;
  /** Of the last build; null before the first. */
  readonly built_at: string | null;
}

export interface RejectedHour {
  readonly topic: string;
  readonly hour: string;
  readonly events: number;
}

/** Events of slices that flushes set aside (`parked_slices`) and that wait there. Sent on they are not counted again as appended. */
export interface ParkedHour {
  readonly topic: string;
  readonly hour: string;
  readonly events: number;
  /** When the last of the hour was sent on, ISO 8601 UTC; null: none was. */
  readonly redriven_at: string | null;
}

export interface LedgerState {
  readonly parked: readonly ParkedHour[];
  readonly appended: readonly AppendedHour[];
  readonly rejected: readonly RejectedHour[];
  readonly bronze: readonly BronzeHour[];
}

const APPENDED = rowsOf(
  { table: "ledger", key: ["topic", "hour"], remedy: "let the hour pass" },
  (row): AppendedHour => ({
    topic: row.text("topic"),
    hour: row.time("hour"),
    events: row.integer("events"),
    published_at: row.timeOrNull("published_at"),
  }),
);

const REJECTED = rowsOf(
  { table: "ledger", key: ["topic", "hour"], remedy: "let the hour pass" },
  (row): RejectedHour => ({ topic: row.text("topic"), hour: row.time("hour"), events: row.integer("events") }),
);

const BRONZE = rowsOf(
  {
    table: "bronze_file_hours",
    key: ["topic", "partition_date", "hour"],
    remedy: "restore it with D1's Time Travel",
  },
  (row): BronzeHour => ({
    topic: row.text("topic"),
    partition_date: row.date("partition_date"),
    hour: row.time("hour"),
    bronze: row.integer("bronze"),
    registered_at: row.timeOrNull("registered_at"),
    silver: row.integer("silver"),
    duplicates: row.integer("duplicates"),
    superseded: row.integer("superseded"),
    quarantined: row.integer("quarantined"),
    expired: row.integer("expired"),
    replayed: row.integer("replayed"),
    current: row.integer("current"),
    built_at: row.timeOrNull("built_at"),
  }),
);

const PARKED = rowsOf(
  {
    table: "parked_slices",
    key: ["topic", "hour"],
    remedy: "delete the row: its slice then stays in R2 and is not sent on",
  },
  (row): ParkedHour => ({
    topic: row.text("topic"),
    hour: row.time("hour"),
    events: row.integer("events"),
    redriven_at: row.timeOrNull("redriven_at"),
  }),
);

const OF_CELL = "topic = b.topic AND partition_date = b.partition_date AND hour = b.hour";

/**
 * Every hour with every topic asked for: each table is looked up there, so that no row of another topic is read. CROSS JOIN is SQLite's
 * word for the order of the loops.
 */
const ASKED = "json_each(?1) AS h CROSS JOIN json_each(?2) AS t CROSS JOIN";
const IS_ASKED = "hour = h.value AND topic = t.value";

/** Topics of which the ledger may tell anything, in their order, behind `after`: those of this deploy, and all that ever had a buffer. */
export async function ledgerTopics(
  db: D1Database,
  deployed: readonly string[],
  after: string,
  limit: number,
): Promise<string[]> {
  return await TOPICS.all(
    db
      .prepare(
        "SELECT topic FROM (SELECT value AS topic FROM json_each(?1) UNION SELECT topic FROM shards) WHERE topic > ?2 ORDER BY topic LIMIT ?3",
      )
      .bind(JSON.stringify(deployed), after, limit),
  );
}

/** The hours `[from, to)` as the ledger writes them. */
export function hoursBetween(from: string, to: string): string[] {
  const hours: string[] = [];
  for (let at = Date.parse(from); at < Date.parse(to); at += HOUR_MS) {
    hours.push(hourTextAt(at));
  }
  return hours;
}

/** Events of these topics received in hours `[from, to)`, by topic and hour. */
export async function ledgerState(
  db: D1Database,
  topics: readonly string[],
  from: string,
  to: string,
): Promise<LedgerState> {
  const outcome = (term: string) =>
    `coalesce((SELECT events FROM ledger_outcomes WHERE ${OF_CELL} AND term = '${term}'), 0) AS ${term}`;
  const asked = (sql: string): D1PreparedStatement =>
    db.prepare(sql).bind(JSON.stringify(hoursBetween(from, to)), JSON.stringify(topics));
  const [appended, rejected, bronze, parked] = await db.batch<RowValues>([
    asked(
      `SELECT topic, hour, sum(events) AS events, iif(count(*) = count(published_at), max(published_at), NULL) AS published_at
         FROM ${ASKED} ledger ON ${IS_ASKED} GROUP BY topic, hour ORDER BY topic, hour`,
    ),
    asked(
      `SELECT substr(detail, 1, instr(detail, '|') - 1) AS topic, hour, sum(events) AS events
         FROM json_each(?1) AS h CROSS JOIN ledger ON hour = h.value AND topic = 'dead_letters'
        WHERE detail <> '' AND substr(detail, 1, instr(detail, '|') - 1) IN (SELECT value FROM json_each(?2))
        GROUP BY 1, 2 ORDER BY 1, 2`,
    ),
    asked(
      `WITH b AS (
         SELECT topic, partition_date, hour, sum(rows) AS bronze, iif(min(registered_at) = '', NULL, max(registered_at)) AS registered_at
           FROM ${ASKED} bronze_file_hours ON ${IS_ASKED} GROUP BY 1, 2, 3)
       SELECT b.*, ${["silver", "superseded", "quarantined", "expired"].map(outcome).join(", ")},
              coalesce((SELECT sum(replayed) FROM ledger_outcomes WHERE ${OF_CELL}), 0) AS replayed,
              coalesce((SELECT events FROM ledger_duplicates WHERE ${OF_CELL}), 0) AS duplicates,
              coalesce(i.version = i.built_version, 0) AS current, m.processed_at AS built_at
         FROM b
         LEFT JOIN partition_inputs i ON i.domain = b.topic AND i.partition_date = b.partition_date
         LEFT JOIN partition_meta m ON m.domain = b.topic AND m.partition_date = b.partition_date
        ORDER BY b.topic, b.hour, b.partition_date`,
    ),
    asked(
      `SELECT topic, hour, sum(iif(redriven_at IS NULL, events, 0)) AS events, max(redriven_at) AS redriven_at FROM parked_slices
        WHERE hour IN (SELECT value FROM json_each(?1)) AND topic IN (SELECT value FROM json_each(?2))
        GROUP BY topic, hour ORDER BY topic, hour`,
    ),
  ]);
  return {
    appended: APPENDED.in(appended),
    rejected: REJECTED.in(rejected),
    bronze: BRONZE.in(bronze),
    parked: PARKED.in(parked),
  };
}
