/** Compaction in D1: what there is to compact, what is under way, and the one guarded batch that puts a file in place of others. */
import * as z from "zod";
import { rowsOf, textsOf } from "../rows/row.ts";
import type { RowValues } from "../rows/row-error.ts";
import type { BronzeFile } from "./bronze.ts";
import { tombstoneColumns } from "./tombstones.ts";

/** A live file as a flush wrote it. */
export interface SmallFile {
  readonly file: string;
  readonly topic: string;
  readonly shard: number;
  readonly shard_of: number;
  readonly incarnation: string;
  readonly rows: number;
  readonly bytes: number;
  readonly registered_at: string;
}

/**
 * Files that may become one: a folder, an incarnation of a shard and an hour of registration (`2026-11-21T05`). Of one incarnation, so
 * that the order of their names, in which a compacted file holds them, is that of their registrations.
 */
export interface FileGroup {
  readonly hour: string;
  /** With its slash. */
  readonly folder: string;
  readonly shard: number;
  readonly shardOf: number;
  readonly incarnation: string;
}

export interface SmallFilesQuery {
  /** Registered in [since, before): ISO 8601 texts. */
  readonly since: string;
  readonly before: string;
  readonly maxBytes: number;
  /** How many there must be of a group. */
  readonly minFiles: number;
  /** Groups behind this one; null: all. */
  readonly after: FileGroup | null;
  readonly limit: number;
}

/** Before every other. */
const FIRST_GROUP: FileGroup = { hour: "", folder: "", shard: 0, shardOf: 0, incarnation: "" };

const FILE = {
  table: "bronze_files",
  key: ["file"],
  remedy: "restore it with D1's Time Travel: the rows are found by it",
} as const;
const COMPACTION = {
  table: "compactions",
  key: ["file"],
  remedy: "delete the row while it is PENDING: its files are planned anew",
} as const;

const SMALL_FILES = rowsOf(
  FILE,
  (row): SmallFile => ({
    file: row.text("file"),
    topic: row.text("topic"),
    shard: row.integer("shard"),
    shard_of: row.integer("shard_of"),
    incarnation: row.text("incarnation"),
    rows: row.count("rows"),
    bytes: row.count("bytes"),
    registered_at: row.time("registered_at"),
  }),
);

/**
 * Live files of flushes that have enough others beside them and are no inputs of a pending compaction: group by group, the oldest hour
 * first, so that the limit cuts the last group only. Reads each live file in D1, which are those of some days.
 */
export async function smallFiles(db: D1Database, query: SmallFilesQuery): Promise<SmallFile[]> {
  const { hour, folder, shard, shardOf, incarnation } = query.after ?? FIRST_GROUP;
  return await SMALL_FILES.all(
    db
      .prepare(
        // What follows the last slash is trimmed: all of its characters are among those of the key without slashes.
        `SELECT file, topic, shard, shard_of, incarnation, rows, bytes, registered_at FROM (
         SELECT *, count(*) OVER (PARTITION BY folder, shard, shard_of, incarnation, hour) AS together FROM (
           SELECT *, rtrim(file, replace(file, '/', '')) AS folder, substr(registered_at, 1, 13) AS hour FROM bronze_files b INDEXED BY bronze_files_live
           WHERE retired_by IS NULL AND registered_at >= ? AND registered_at < ? AND bytes <= ?
             AND NOT EXISTS (SELECT 1 FROM compactions WHERE file = b.file)
             AND file NOT IN (SELECT i.value FROM compactions c, json_each(iif(json_valid(c.inputs), c.inputs, '[]')) i WHERE c.status = 'PENDING')))
       WHERE together >= ? AND (hour, folder, shard, shard_of, incarnation) > (?, ?, ?, ?, ?)
       ORDER BY hour, folder, shard, shard_of, incarnation, registered_at, file LIMIT ?`,
      )
      .bind(
        query.since,
        query.before,
        query.maxBytes,
        query.minFiles,
        hour,
        folder,
        shard,
        shardOf,
        incarnation,
        query.limit,
      ),
  );
}

export interface PendingCompaction {
  readonly file: string;
  /** Milliseconds since the epoch. */
  readonly queuedAt: number;
  readonly attempts: number;
}

const PENDING = rowsOf(
  COMPACTION,
  (row): PendingCompaction => ({
    file: row.text("file"),
    queuedAt: row.integer("queued_at"),
    attempts: row.integer("attempts"),
  }),
);

export async function pendingCompactions(db: D1Database): Promise<PendingCompaction[]> {
  return await PENDING.all(
    db.prepare("SELECT file, queued_at, attempts FROM compactions WHERE status = 'PENDING' ORDER BY queued_at, file"),
  );
}

/** Compactions of a topic that have failed so often. */
export interface FailingCompactions {
  readonly topic: string;
  readonly compactions: number;
  /** The one that was planned first, and its last error; null: none of its tries got so far. */
  readonly file: string;
  readonly error: string | null;
}

const FAILING = rowsOf(
  COMPACTION,
  (row): FailingCompactions => ({
    topic: row.text("topic"),
    compactions: row.integer("compactions"),
    file: row.text("file"),
    error: row.textOrNull("error"),
  }),
);

/**
 * Pending compactions with more than `attempts` tries, or with as many of which the last was asked for before `queuedBefore`
 * (milliseconds since the epoch), by topic. Reads what is pending.
 */
export async function failingCompactions(
  db: D1Database,
  attempts: number,
  queuedBefore: number,
): Promise<FailingCompactions[]> {
  return await FAILING.all(
    db
      .prepare(
        // With min() the other columns are of the row that has it (SQLite, "Bare columns in an aggregate query").
        `SELECT topic, count(*) AS compactions, file, error_message AS error, min(planned_at) FROM compactions
       WHERE status = 'PENDING' AND (attempts > ?1 OR attempts = ?1 AND queued_at <= ?2) GROUP BY topic ORDER BY topic`,
      )
      .bind(attempts, queuedBefore),
  );
}

const FILES = textsOf(COMPACTION, "file");

/** Those of the names under which a compaction was planned before: one that was dropped never comes again. */
export async function plannedBefore(db: D1Database, files: readonly string[]): Promise<ReadonlySet<string>> {
  if (files.length === 0) return new Set();
  const planned = db.prepare("SELECT file FROM compactions WHERE file IN (SELECT value FROM json_each(?))");
  return new Set(await FILES.all(planned.bind(JSON.stringify(files))));
}

/** Notes a compaction as under way; one that is known already stays as it is. */
export function insertCompaction(
  db: D1Database,
  plan: { readonly file: string; readonly topic: string; readonly inputs: readonly string[] },
  now: number,
): D1PreparedStatement {
  return db
    .prepare(
      "INSERT INTO compactions (file, topic, inputs, planned_at, queued_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    )
    .bind(plan.file, plan.topic, JSON.stringify(plan.inputs), new Date(now).toISOString(), now);
}

/** Notes that another message is sent for it. */
export function requeueCompaction(db: D1Database, file: string, now: number): D1PreparedStatement {
  return db
    .prepare("UPDATE compactions SET queued_at = ?, attempts = attempts + 1 WHERE file = ? AND status = 'PENDING'")
    .bind(now, file);
}

export interface CompactionInput {
  readonly file: string;
  readonly shard: number;
  readonly shard_of: number;
  readonly incarnation: string;
  readonly seq: number;
  readonly rows: number;
  readonly min_received: string;
  readonly max_received: string;
  readonly retired_by: string | null;
}

export interface Compaction {
  readonly topic: string;
  readonly status: "PENDING" | "DONE" | "DROPPED";
  /** In the order of their rows. */
  readonly inputs: readonly CompactionInput[];
}

const STATUSES = ["PENDING", "DONE", "DROPPED"] as const;

const HEADS = rowsOf(COMPACTION, (row) => ({ status: row.oneOf("status", STATUSES) }));

const PLANNED = rowsOf(COMPACTION, (row) => ({
  topic: row.text("topic"),
  status: row.oneOf("status", STATUSES),
  inputs: row.json("inputs", z.array(z.string())),
}));

const INPUTS = rowsOf(
  FILE,
  (row): CompactionInput => ({
    file: row.text("file"),
    shard: row.integer("shard"),
    shard_of: row.integer("shard_of"),
    incarnation: row.text("incarnation"),
    seq: row.integer("seq"),
    rows: row.count("rows"),
    min_received: row.time("min_received"),
    max_received: row.time("max_received"),
    retired_by: row.textOrNull("retired_by"),
  }),
);

/** A compaction with what the catalog says of its inputs; undefined when it was never planned. */
export async function findCompaction(db: D1Database, file: string): Promise<Compaction | undefined> {
  const head = await PLANNED.first(
    db.prepare("SELECT file, topic, status, inputs FROM compactions WHERE file = ?").bind(file),
  );
  if (head === null) return undefined;
  const inputs = await INPUTS.all(
    db
      .prepare(
        `SELECT b.file, shard, shard_of, incarnation, seq, rows, min_received, max_received, retired_by
       FROM compactions c JOIN json_each(c.inputs) i JOIN bronze_files b ON b.file = i.value
       WHERE c.file = ? ORDER BY b.file`,
      )
      .bind(file),
  );
  return { topic: head.topic, status: head.status, inputs };
}

/**
 * Puts the compacted file in place of its inputs, if every one of them is still live, and tombstones them; else drops the
 * compaction and tombstones its object. One batch, done any number of times: gives how the compaction stands after it.
 */
export async function registerCompaction(
  db: D1Database,
  file: BronzeFile,
  inputs: readonly string[],
  now: string,
): Promise<Compaction["status"]> {
  const list = JSON.stringify(inputs);
  const takes = `EXISTS (SELECT 1 FROM compactions WHERE file = ?1 AND status = 'PENDING')
    AND (SELECT count(*) FROM json_each(?2) JOIN bronze_files ON bronze_files.file = value WHERE retired_by IS NULL) = json_array_length(?2)`;
  const guarded = (sql: string, ...values: (string | number)[]): D1PreparedStatement =>
    db.prepare(sql).bind(file.file, list, ...values);
  const results = await db.batch<RowValues>([
    // Not `registerFlush`: a compacted file has no number, and its hours of reception are counted with its inputs.
    guarded(
      `INSERT INTO bronze_files (file, topic, shard, shard_of, incarnation, seq, rows, bytes, min_received, max_received, registered_at)
       SELECT ?1, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12 WHERE ${takes} ON CONFLICT DO NOTHING`,
      file.topic,
      file.shard,
      file.shardOf,
      file.incarnation,
      file.seq,
      file.rows,
      file.bytes,
      file.minReceived,
      file.maxReceived,
      now,
    ),
    guarded(
      `INSERT INTO bronze_file_dates (topic, partition_date, file, first_row, rows)
       SELECT ?3, value ->> 'date', ?1, value ->> 'firstRow', value ->> 'rows' FROM json_each(?4) WHERE ${takes} ON CONFLICT DO NOTHING`,
      file.topic,
      JSON.stringify(file.dates),
    ),
    guarded(
      `INSERT INTO tombstones (object, reason, tombstoned_at, delete_after)
       SELECT ${tombstoneColumns("?2", "'compacted into ' || ?1")} WHERE ${takes} ON CONFLICT DO NOTHING`,
    ),
    // The inputs turn before the status: from here on the guard is that they are ours.
    guarded(`UPDATE bronze_files SET retired_by = ?1 WHERE file IN (SELECT value FROM json_each(?2)) AND ${takes}`),
    guarded(
      // What is done needs no list of its inputs: theirs is its name.
      `UPDATE compactions SET status = iif((SELECT count(*) FROM json_each(?2) JOIN bronze_files b ON b.file = value
         WHERE b.retired_by = ?1) = json_array_length(?2), 'DONE', 'DROPPED'), error_message = NULL, inputs = '[]',
         first_registration = (SELECT iif(sum(by_name <> by_number) = 0, min(registration), NULL) FROM (
           SELECT registration, row_number() OVER (ORDER BY file) AS by_name, row_number() OVER (ORDER BY registration, file) AS by_number
           FROM bronze_files WHERE file IN (SELECT value FROM json_each(?2))))
       WHERE file = ?1 AND status = 'PENDING'`,
    ),
    buryDropped(db, file.file),
    db.prepare("SELECT file, status FROM compactions WHERE file = ?").bind(file.file),
  ]);
  const [head] = HEADS.in(results.at(-1));
  if (head === undefined) throw new Error(`${file.file} is no compaction that was planned`);
  return head.status;
}

/** Drops a compaction that cannot be done any more, and tombstones what an earlier try may have written. */
export function dropCompaction(db: D1Database, file: string, reason: string): D1PreparedStatement[] {
  return [
    db
      .prepare(
        "UPDATE compactions SET status = 'DROPPED', error_message = ?, inputs = '[]' WHERE file = ? AND status = 'PENDING'",
      )
      .bind(reason, file),
    buryDropped(db, file),
  ];
}

/** What a try of a dropped compaction may have written. */
function buryDropped(db: D1Database, file: string): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO tombstones (object, reason, tombstoned_at, delete_after)
       SELECT ${tombstoneColumns("file", "'a dropped compaction'")} FROM compactions WHERE file = ? AND status = 'DROPPED'
       ON CONFLICT DO NOTHING`,
    )
    .bind(file);
}

/** Keeps why the last try failed, for the operator. */
export function noteCompactionFailure(db: D1Database, file: string, message: string): D1PreparedStatement {
  return db
    .prepare("UPDATE compactions SET error_message = ? WHERE file = ? AND status = 'PENDING'")
    .bind(message, file);
}
