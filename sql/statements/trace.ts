/** What the trace of one event asks the catalog: which files can hold it, and which snapshots were made of those. */
import * as z from "zod";
import { rowsOf } from "../rows/row.ts";

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
    bytes: row.integer("bytes"),
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

export interface TracedSnapshot {
  readonly table_name: string;
  readonly snapshot_id: string;
  readonly committed_at: string;
  /** The bronze files, or snapshot ids, that the snapshot was built from, of those asked for. */
  readonly built_from: readonly string[];
}

const TRACED = rowsOf(
  { table: "snapshots", key: ["snapshot_id"], remedy: "build the partition again" },
  (row): TracedSnapshot => ({
    table_name: row.text("table_name"),
    snapshot_id: row.text("snapshot_id"),
    committed_at: row.text("committed_at"),
    built_from: row.json("built_from", z.array(z.string())),
  }),
);

/** The published snapshots of a date of some tables, with which of `inputs` (R2 keys of bronze files, or snapshot ids) they were built from. */
export async function publishedFrom(
  db: D1Database,
  tables: readonly string[],
  date: string,
  inputs: readonly string[],
): Promise<TracedSnapshot[]> {
  return await TRACED.all(
    db
      .prepare(
        `SELECT p.table_name, p.snapshot_id, s.committed_at,
              (SELECT json_group_array(coalesce(i.value ->> 'file', i.value ->> 'snapshot')) FROM json_each(s.inputs) i
                WHERE coalesce(i.value ->> 'file', i.value ->> 'snapshot') IN (SELECT value FROM json_each(?3))) AS built_from
         FROM published p JOIN snapshots s USING (snapshot_id)
        WHERE p.partition_date = ?2 AND p.table_name IN (SELECT value FROM json_each(?1)) ORDER BY p.table_name`,
      )
      .bind(JSON.stringify(tables), date, JSON.stringify(inputs)),
  );
}

const REPLACED = rowsOf(
  { table: "bronze_files", key: ["file"], remedy: "restore it with D1's Time Travel" },
  (row) => ({ file: row.text("file"), retired_by: row.text("retired_by") }),
);

/** The files of a partition whose rows stand in one of `files` now: retired by it. */
export async function replacedBy(
  db: D1Database,
  topic: string,
  date: string,
  files: readonly string[],
): Promise<{ readonly file: string; readonly retired_by: string }[]> {
  return await REPLACED.all(
    db
      .prepare(
        `SELECT f.file, f.retired_by FROM bronze_file_dates d JOIN bronze_files f USING (file)
        WHERE d.topic = ?1 AND d.partition_date = ?2 AND f.retired_by IN (SELECT value FROM json_each(?3))`,
      )
      .bind(topic, date, JSON.stringify(files)),
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
