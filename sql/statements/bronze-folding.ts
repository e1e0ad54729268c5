/** Dates of bronze whose rows D1 gives up to a manifest in R2 (`lakehouse/tables/bronze/fold.ts`). */
import { rowsOf } from "../rows/row.ts";
import type { RowValues } from "../rows/row-error.ts";
import type { Expiry } from "./retention.ts";
import { tombstoneColumns } from "./tombstones.ts";

export interface BronzeDate {
  readonly topic: string;
  readonly partition_date: string;
}

/** What D1 keeps of a date that was folded. */
export interface FoldedDate extends BronzeDate {
  readonly manifest: string;
  readonly through: number;
  readonly inputs: number;
  readonly rows: number;
  readonly live_files: number;
  readonly live_rows: number;
  readonly min_received: string;
  readonly max_received: string;
  readonly min_registered: string;
  readonly max_registered: string;
}

export const FOLDED_DATES = rowsOf(
  {
    table: "bronze_manifests",
    key: ["topic", "partition_date"],
    remedy: "restore it with D1's Time Travel: the rows are found by it",
  },
  (row): FoldedDate => ({
    topic: row.text("topic"),
    partition_date: row.date("partition_date"),
    manifest: row.text("manifest"),
    through: row.integer("through"),
    inputs: row.integer("inputs"),
    rows: row.integer("rows"),
    live_files: row.integer("live_files"),
    live_rows: row.integer("live_rows"),
    min_received: row.time("min_received"),
    max_received: row.time("max_received"),
    min_registered: row.time("min_registered"),
    max_registered: row.time("max_registered"),
  }),
);

export const FOLDED_COLUMNS =
  "topic, partition_date, manifest, through, inputs, rows, live_files, live_rows, min_received, max_received, min_registered, max_registered";

const DATES = rowsOf(
  { table: "published", key: ["topic", "partition_date"], remedy: "build the partition again" },
  (row): BronzeDate => ({ topic: row.text("topic"), partition_date: row.date("partition_date") }),
);

/** An input of a compaction that is under way stays: its registration looks for it. */
const COMPACTING = `EXISTS (SELECT 1 FROM compactions c, json_each(iif(json_valid(c.inputs), c.inputs, '[]')) i
  JOIN bronze_file_dates d ON d.file = i.value WHERE c.status = 'PENDING' AND d.topic = t.topic AND d.partition_date = t.partition_date)`;
const BUILT = `EXISTS (SELECT 1 FROM partition_inputs n WHERE n.domain = t.topic AND n.partition_date = t.partition_date
  AND n.version = n.built_version)`;

/**
 * At most `limit` dates of these topics that have rows in D1, are built with all of them, and were last committed before `before`
 * (ISO 8601), the oldest first. Reads a row of each published date, and one of bronze where there is any.
 */
export async function foldableDates(
  db: D1Database,
  topics: readonly { readonly topic: string; readonly table: string }[],
  before: string,
  limit: number,
): Promise<BronzeDate[]> {
  return await DATES.all(
    db
      .prepare(
        `SELECT topic, partition_date FROM (
           SELECT k.value ->> 'topic' AS topic, p.partition_date FROM json_each(?1) k
           CROSS JOIN published p ON p.table_name = k.value ->> 'table' JOIN versions v USING (table_name, version)
           WHERE v.committed_at < ?2) t
         WHERE EXISTS (SELECT 1 FROM bronze_file_dates d WHERE d.topic = t.topic AND d.partition_date = t.partition_date)
           AND ${BUILT} AND NOT ${COMPACTING}
         ORDER BY partition_date, topic LIMIT ?3`,
      )
      .bind(JSON.stringify(topics), before, limit),
  );
}

/** A row of `bronze_file_dates` with its file. */
export interface FileOfDate {
  /** 0: a compacted file. */
  readonly registration: number;
  readonly file: string;
  readonly first_row: number;
  readonly rows: number;
  readonly shard: number;
  readonly shard_of: number;
  readonly bytes: number;
  readonly min_received: string;
  readonly max_received: string;
  readonly registered_at: string;
  readonly retired_by: string | null;
  /** The last date of which D1 knows rows in the file. */
  readonly last_date: string;
}

const FILES = rowsOf(
  { table: "bronze_files", key: ["file"], remedy: "restore it with D1's Time Travel: the rows are found by it" },
  (row): FileOfDate => ({
    registration: row.integer("registration"),
    file: row.text("file"),
    first_row: row.integer("first_row"),
    rows: row.integer("rows"),
    shard: row.integer("shard"),
    shard_of: row.integer("shard_of"),
    bytes: row.integer("bytes"),
    min_received: row.time("min_received"),
    max_received: row.time("max_received"),
    registered_at: row.time("registered_at"),
    retired_by: row.textOrNull("retired_by"),
    last_date: row.date("last_date"),
  }),
);

/** Rows of one answer. */
const PAGE = 5_000;

/** All that D1 has of a date: page by page, so not as of one moment. `foldDate` tells whether it is still so. */
export async function filesOfDate(db: D1Database, { topic, partition_date }: BronzeDate): Promise<FileOfDate[]> {
  const all: FileOfDate[] = [];
  for (;;) {
    const last = all.at(-1);
    const page = await FILES.all(
      db
        .prepare(
          `SELECT d.registration, d.file, d.first_row, d.rows, f.shard, f.shard_of, f.bytes, f.min_received, f.max_received,
             f.registered_at, f.retired_by, (SELECT max(e.partition_date) FROM bronze_file_dates e WHERE e.file = d.file) AS last_date
           FROM bronze_file_dates d JOIN bronze_files f USING (file)
           WHERE d.topic = ?1 AND d.partition_date = ?2 AND (d.registration, d.file) > (?3, ?4)
           ORDER BY d.registration, d.file LIMIT ?5`,
        )
        .bind(topic, partition_date, last?.registration ?? -1, last?.file ?? "", PAGE),
    );
    all.push(...page);
    if (page.length < PAGE) return all;
  }
}

/** What a manifest was made of. */
export interface FoldedState {
  readonly files: readonly FileOfDate[];
  /** The manifest before it, whose files it has, too; null: the first. */
  readonly manifest: string | null;
}

/**
 * Leaves a date's rows to its manifest, unless anything was registered, compacted or retired since they were read, or a build is due.
 * One transaction; gives whether it happened. `fold` names this try and no other; `hours`: every hour of reception of its rows.
 */
export async function foldDate(
  db: D1Database,
  date: FoldedDate,
  { files, manifest }: FoldedState,
  fold: string,
  hours: readonly string[],
): Promise<boolean> {
  const { topic, partition_date } = date;
  const registered = files.map((file) => file.registered_at).sort();
  const span = [registered[0] ?? "", registered.at(-1) ?? ""] as const;
  const state = [
    files.length,
    files.reduce((highest, { registration }) => Math.max(highest, registration), 0),
    files.filter(({ retired_by }) => retired_by !== null).length,
  ] as const;
  const done = "EXISTS (SELECT 1 FROM bronze_manifests WHERE topic = ?1 AND partition_date = ?2 AND fold = ?3)";
  const mine = (sql: string, ...values: readonly (string | number)[]): D1PreparedStatement =>
    db.prepare(sql).bind(topic, partition_date, fold, ...values);
  const GONE = `topic = ?1 AND registered_at BETWEEN ?4 AND ?5 AND ${done}
    AND NOT EXISTS (SELECT 1 FROM bronze_file_dates d WHERE d.file = bronze_files.file)`;
  // Of files from before flushes wrote sums (''), one row of an hour gets the sum, so that no trigger takes it for news.
  const OF_HOUR = "o.hour = h.hour AND o.topic = h.topic AND o.partition_date = h.partition_date AND o.file > ''";
  const HOURS = "hour IN (SELECT value FROM json_each(?4)) AND topic = ?1 AND partition_date = ?2 AND file > ''";
  const [taken] = await db.batch<RowValues>([
    db
      .prepare(
        `INSERT INTO bronze_manifests (${FOLDED_COLUMNS}, fold)
         SELECT t.topic, t.partition_date, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13 FROM (SELECT ?1 AS topic, ?2 AS partition_date) t
         WHERE (SELECT json_array(count(*), coalesce(max(d.registration), 0), count(f.retired_by)) FROM bronze_file_dates d
                JOIN bronze_files f USING (file) WHERE d.topic = ?1 AND d.partition_date = ?2) = ?14
           AND (SELECT manifest FROM bronze_manifests m WHERE m.topic = ?1 AND m.partition_date = ?2) IS ?15
           AND ${BUILT} AND NOT ${COMPACTING}
         ON CONFLICT DO UPDATE SET manifest = excluded.manifest, through = excluded.through, inputs = excluded.inputs, rows = excluded.rows,
           live_files = excluded.live_files, live_rows = excluded.live_rows, min_received = excluded.min_received,
           max_received = excluded.max_received, min_registered = excluded.min_registered, max_registered = excluded.max_registered,
           fold = excluded.fold
         RETURNING 1 AS done`,
      )
      .bind(...valuesOf(date), fold, JSON.stringify(state), manifest),
    ...(manifest === null || manifest === date.manifest
      ? []
      : [
          mine(
            `INSERT INTO tombstones (object, reason, tombstoned_at, delete_after)
             SELECT ${tombstoneColumns("?4", "'superseded'")} WHERE ${done} ON CONFLICT DO NOTHING`,
            manifest,
          ),
        ]),
    mine(
      `UPDATE bronze_file_hours AS h SET
         rows = (SELECT sum(o.rows) FROM bronze_file_hours o WHERE ${OF_HOUR}),
         registered_at = (SELECT iif(min(o.registered_at) = '', '', max(o.registered_at)) FROM bronze_file_hours o WHERE ${OF_HOUR})
       WHERE ${HOURS} AND ${done} AND file = (SELECT min(o.file) FROM bronze_file_hours o WHERE ${OF_HOUR})`,
      JSON.stringify(hours),
    ),
    mine(
      `DELETE FROM bronze_file_hours AS h WHERE ${HOURS} AND ${done}
         AND file > (SELECT min(o.file) FROM bronze_file_hours o WHERE ${OF_HOUR})`,
      JSON.stringify(hours),
    ),
    mine(`DELETE FROM bronze_file_dates WHERE topic = ?1 AND partition_date = ?2 AND ${done}`),
    mine(
      `DELETE FROM compactions WHERE file IN (SELECT file FROM bronze_files WHERE registration IS NULL AND ${GONE})`,
      ...span,
    ),
    mine(`DELETE FROM bronze_files WHERE ${GONE}`, ...span),
  ]);
  return (taken?.results.length ?? 0) > 0;
}

function valuesOf(date: FoldedDate) {
  return [
    date.topic,
    date.partition_date,
    date.manifest,
    date.through,
    date.inputs,
    date.rows,
    date.live_files,
    date.live_rows,
    date.min_received,
    date.max_received,
    date.min_registered,
    date.max_registered,
  ] as const;
}

/** The row of a folded date; null: it is not folded. */
export async function foldedDate(db: D1Database, { topic, partition_date }: BronzeDate): Promise<FoldedDate | null> {
  return await FOLDED_DATES.first(
    db
      .prepare(`SELECT ${FOLDED_COLUMNS} FROM bronze_manifests WHERE topic = ? AND partition_date = ?`)
      .bind(topic, partition_date),
  );
}

export interface FoldedRange {
  /** Only these dates; absent: all. */
  readonly dates?: readonly string[];
  /** With something received, or registered, at or after `from` and before `to`; texts that begin as times do. */
  readonly received?: { readonly from: string; readonly to: string };
  readonly registered?: { readonly from: string; readonly to: string };
}

/** The folded dates of a topic that can have such files, the last registered first; at most `limit`. Reads a row of each of the topic's dates. */
export async function foldedDates(
  db: D1Database,
  topic: string,
  { dates, received, registered }: FoldedRange,
  limit: number,
): Promise<FoldedDate[]> {
  return await FOLDED_DATES.all(
    db
      .prepare(
        `SELECT ${FOLDED_COLUMNS} FROM bronze_manifests WHERE topic = ?1
           AND (?2 IS NULL OR partition_date IN (SELECT value FROM json_each(?2)))
           AND max_received >= ?3 AND min_received < ?4 AND max_registered >= ?5 AND min_registered < ?6
         ORDER BY max_registered DESC, partition_date DESC LIMIT ?7`,
      )
      .bind(
        topic,
        dates === undefined ? null : JSON.stringify(dates),
        received?.from ?? "",
        received?.to ?? "~",
        registered?.from ?? "",
        registered?.to ?? "~",
        limit,
      ),
  );
}

/** The folded dates of topics past their retention (`Expiry`) that are not wholly retired and are built with all there is; at most `limit`. */
export async function expiredFoldedDates(
  db: D1Database,
  expiries: readonly Expiry[],
  limit: number,
): Promise<FoldedDate[]> {
  return await FOLDED_DATES.all(
    db
      .prepare(
        `SELECT ${FOLDED_COLUMNS} FROM json_each(?1) e CROSS JOIN bronze_manifests t ON t.topic = e.value ->> 'topic'
         WHERE t.partition_date <= e.value ->> 'lastDate' AND t.live_files > 0 AND ${BUILT} ORDER BY t.partition_date, t.topic LIMIT ?2`,
      )
      .bind(JSON.stringify(expiries), limit),
  );
}

/**
 * Puts a manifest in place of the one that was read, in which these files are retired: their objects get tombstones, and the date is
 * sealed. One transaction; gives whether it happened.
 */
export async function retireFolded(
  db: D1Database,
  date: FoldedDate,
  before: string,
  retired: readonly string[],
  fold: string,
): Promise<boolean> {
  const done = "EXISTS (SELECT 1 FROM bronze_manifests WHERE topic = ?1 AND partition_date = ?2 AND fold = ?3)";
  const { topic, partition_date } = date;
  const [taken] = await db.batch<RowValues>([
    db
      .prepare(
        `UPDATE bronze_manifests AS t SET manifest = ?4, live_files = ?5, live_rows = ?6, fold = ?3
         WHERE topic = ?1 AND partition_date = ?2 AND manifest = ?7 AND ${BUILT} RETURNING 1 AS done`,
      )
      .bind(topic, partition_date, fold, date.manifest, date.live_files, date.live_rows, before),
    db
      .prepare(
        `INSERT INTO tombstones (object, reason, tombstoned_at, delete_after)
         SELECT ${tombstoneColumns("value", "'retention'")} FROM json_each(?4) WHERE ${done} ON CONFLICT DO NOTHING`,
      )
      .bind(topic, partition_date, fold, JSON.stringify([...retired, before])),
    db
      .prepare(
        `INSERT INTO sealed_partitions (topic, partition_date, sealed_at)
         SELECT ?1, ?2, strftime('%Y-%m-%dT%H:%M:%fZ', 'now') WHERE ${done} ON CONFLICT DO NOTHING`,
      )
      .bind(topic, partition_date, fold),
  ]);
  return (taken?.results.length ?? 0) > 0;
}
