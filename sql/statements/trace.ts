/** What the trace of one event asks the catalog: which files can hold it, and which versions were made of those. */
import { rowsOf, textsOf } from "../rows/row.ts";

/** A Parquet file that can hold an event. */
export interface TraceFile {
  /** R2 key. */
  readonly file: string;
  readonly bytes: number;
  /** Orders the files of a search; the next page goes on after it. */
  readonly position: string;
}

const TRACE_FILES = rowsOf(
  { table: "bronze_files", key: ["file"], remedy: "restore it with D1's Time Travel" },
  (row): TraceFile => ({
    file: row.text("file"),
    bytes: row.count("bytes"),
    position: row.text("position"),
  }),
);

export interface BronzeSearch {
  readonly topic: string;
  /** Partition dates, or null: files registered in `[from, to)`. */
  readonly dates: readonly string[] | null;
  readonly from: string;
  readonly to: string;
  /** Only files with something received at or after this time, ISO 8601 UTC without its Z; "" is any. */
  readonly receivedFrom: string;
  /** The shard by shard count, where the event's id decides it; null: any shard. */
  readonly shards: Readonly<Record<string, number>> | null;
}

const CAN_HOLD = `f.retired_by IS NULL AND f.max_received >= ?3
  AND (?4 IS NULL OR EXISTS (SELECT 1 FROM json_each(?4) s WHERE s.key = CAST(f.shard_of AS TEXT) AND s.value = f.shard))`;

/** Files of a search after a position ("" is the beginning), in order, at most `limit`. Retired files are left out: what replaced them has their rows. */
export async function bronzeCandidates(
  db: D1Database,
  search: BronzeSearch,
  after: string,
  limit: number,
): Promise<TraceFile[]> {
  const { topic, dates, receivedFrom } = search;
  const shards = search.shards === null ? null : JSON.stringify(search.shards);
  const statement =
    dates === null
      ? db
          .prepare(
            `SELECT f.file, f.bytes, f.registered_at || ' ' || f.file AS position FROM bronze_files f
              WHERE f.topic = ?1 AND f.registered_at >= max(?5, substr(?2, 1, 24)) AND f.registered_at < ?6
                AND f.registered_at || ' ' || f.file > ?2 AND ${CAN_HOLD}
              ORDER BY f.registered_at, f.file LIMIT ?7`,
          )
          .bind(topic, after, receivedFrom, shards, search.from, search.to, limit)
      : db
          .prepare(
            `SELECT DISTINCT f.file, f.bytes, f.file AS position FROM bronze_file_dates d JOIN bronze_files f USING (file)
              WHERE d.topic = ?1 AND d.partition_date IN (SELECT value FROM json_each(?5)) AND d.file > ?2 AND ${CAN_HOLD}
              ORDER BY f.file LIMIT ?6`,
          )
          .bind(topic, after, receivedFrom, shards, JSON.stringify(dates), limit);
  return await TRACE_FILES.all(statement);
}

export interface TracedVersion {
  readonly table_name: string;
  readonly version: number;
  readonly committed_at: string;
  /** Its last build saw the present version of all that it reads. */
  readonly current: boolean;
}

const TRACED = rowsOf(
  { table: "versions", key: ["table_name", "version"], remedy: "build the partition again" },
  (row): TracedVersion => ({
    table_name: row.text("table_name"),
    version: row.integer("version"),
    committed_at: row.time("committed_at"),
    current: row.flag("current"),
  }),
);

/** The published versions of a date of derived tables, whose domains are their names. */
export async function derivedVersions(
  db: D1Database,
  tables: readonly string[],
  date: string,
): Promise<TracedVersion[]> {
  return await TRACED.all(
    db
      .prepare(
        `SELECT p.table_name, p.version, v.committed_at, coalesce(i.version = i.built_version, 1) AS current
         FROM published p JOIN versions v USING (table_name, version)
         LEFT JOIN partition_inputs i ON i.domain = p.table_name AND i.partition_date = p.partition_date
        WHERE p.partition_date = ?2 AND p.table_name IN (SELECT value FROM json_each(?1)) ORDER BY p.table_name`,
      )
      .bind(JSON.stringify(tables), date),
  );
}

const SEEN = textsOf({ table: "bronze_files", remedy: "restore it with D1's Time Travel" }, "file");

/** Those of the files in which rows of the partition stand that a build saw up to registration `seen`, there or in a file that this one replaced. */
export async function filesSeen(
  db: D1Database,
  topic: string,
  date: string,
  files: readonly string[],
  seen: number,
): Promise<ReadonlySet<string>> {
  return new Set(
    await SEEN.all(
      db
        .prepare(
          `SELECT f.file FROM json_each(?3) asked JOIN bronze_files f ON f.file = asked.value
        WHERE f.registration <= ?4 OR EXISTS (
          SELECT 1 FROM bronze_file_dates d JOIN bronze_files b USING (file)
           WHERE d.topic = ?1 AND d.partition_date = ?2 AND b.retired_by = f.file AND b.registration <= ?4)`,
        )
        .bind(topic, date, JSON.stringify(files), seen),
    ),
  );
}

export interface ListedShard {
  readonly shard: number;
  readonly shard_of: number;
}

const SHARDS = rowsOf(
  {
    table: "shards",
    key: ["shard", "shard_of"],
    remedy: "delete the row: its buffer lists itself again with its next append",
  },
  (row): ListedShard => ({
    shard: row.integer("shard"),
    shard_of: row.integer("shard_of"),
  }),
);

/** Every shard of a topic that was ever addressed. */
export async function shardsOf(db: D1Database, topic: string): Promise<ListedShard[]> {
  return await SHARDS.all(
    db.prepare("SELECT shard, shard_of FROM shards WHERE topic = ? ORDER BY shard_of, shard").bind(topic),
  );
}
