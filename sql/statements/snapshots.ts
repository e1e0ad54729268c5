/** Snapshots in D1: reading what is published, and the one fenced commit that publishes. */
import { type Outcomes, outcomeStatements } from "./ledger-outcomes.ts";
import { countReplays, sawReplays } from "./partition-replays.ts";
import type { Lease } from "./partitions.ts";
import { type RemovedRows, removedRowsStatements } from "./removed-rows.ts";
import { endRun } from "./runs.ts";

export interface DataFile {
  /** R2 key. */
  readonly file: string;
  readonly rows: number;
  readonly bytes: number;
}

export interface PublishedPartition {
  readonly table_name: string;
  readonly partition_date: string;
  readonly snapshot_id: string;
}

/** The published snapshot and data files of one partition of a table; undefined when none is. */
export async function publishedFiles(
  db: D1Database,
  table: string,
  date: string,
): Promise<{ readonly snapshotId: string; readonly files: readonly DataFile[] } | undefined> {
  const { results } = await db
    .prepare(
      `SELECT p.snapshot_id, f.file, f.rows, f.bytes FROM published p LEFT JOIN snapshot_files f USING (snapshot_id)
       WHERE p.table_name = ? AND p.partition_date = ? ORDER BY f.file`,
    )
    .bind(table, date)
    .all<{ snapshot_id: string; file: string | null; rows: number; bytes: number }>();
  const first = results[0];
  if (first === undefined) return undefined;
  const files = results.flatMap(({ file, rows, bytes }) => (file === null ? [] : [{ file, rows, bytes }]));
  return { snapshotId: first.snapshot_id, files };
}

/** Every live data file of a table, by partition. */
export async function liveFiles(
  db: D1Database,
  table: string,
): Promise<(DataFile & { readonly partition_date: string; readonly snapshot_id: string })[]> {
  const { results } = await db
    .prepare(
      `SELECT p.partition_date, p.snapshot_id, f.file, f.rows, f.bytes FROM published p JOIN snapshot_files f USING (snapshot_id)
       WHERE p.table_name = ? ORDER BY p.partition_date, f.file`,
    )
    .bind(table)
    .all<DataFile & { partition_date: string; snapshot_id: string }>();
  return results;
}

export async function tableVersion(db: D1Database, table: string): Promise<number> {
  return (
    (await db
      .prepare("SELECT version FROM table_versions WHERE table_name = ?")
      .bind(table)
      .first<number>("version")) ?? 0
  );
}

export interface Commit {
  readonly lease: Lease;
  readonly snapshotId: string;
  readonly table: string;
  /** Digest of the input list that was handed to the builder, never of one read again. */
  readonly inputDigest: string;
  readonly inputs: readonly Readonly<Record<string, string | number>>[];
  readonly files: readonly DataFile[];
  readonly rowsIn: number;
  readonly rowsOut: number;
  readonly layer: "silver" | "gold";
  readonly path: string;
  /** Domains whose partition of the same date reads this table. */
  readonly dependents: readonly string[];
  /** Undefined where the table is not a topic's silver. */
  readonly removed?: RemovedRows;
  /** Where the bronze rows went besides copies; undefined where the table is not a topic's silver. */
  readonly outcomes?: Outcomes;
  /** What the run's checks found (`quality.ts`); absent where there were none. */
  readonly checks?: string | undefined;
}

/**
 * Publishes a snapshot: one batch, every statement guarded by the lease's fence, the fence itself turned last (in a D1
 * batch an UPDATE that matches nothing does not stop what follows it). A status that an operator set during the build stays:
 * it asks for another one. Gives whether this run's snapshot is published:
 * the answer is read in the same batch, so it is right whoever won.
 */
export async function commitSnapshot(db: D1Database, commit: Commit): Promise<boolean> {
  const { lease, table } = commit;
  const { domain, date, runId, fence } = lease;
  const held =
    "EXISTS (SELECT 1 FROM partition_leases WHERE domain = ?1 AND partition_date = ?2 AND run_id = ?3 AND fence = ?4)";
  const now = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')";
  const guarded = (sql: string, ...values: (string | number | null)[]): D1PreparedStatement =>
    db.prepare(sql).bind(domain, date, runId, fence, ...values);
  const guard = { held, prepare: guarded };

  const statements = [
    guarded(
      `INSERT INTO snapshots (snapshot_id, table_name, partition_date, run_id, fence, input_digest, inputs, rows, committed_at)
       SELECT ?5, ?6, ?2, ?3, ?4, ?7, ?8, ?9, ${now} WHERE ${held}`,
      commit.snapshotId,
      table,
      commit.inputDigest,
      JSON.stringify(commit.inputs),
      commit.rowsOut,
    ),
    guarded(
      `INSERT INTO snapshot_files (snapshot_id, file, rows, bytes)
       SELECT ?5, value ->> 'file', value ->> 'rows', value ->> 'bytes' FROM json_each(?6) WHERE ${held}`,
      commit.snapshotId,
      JSON.stringify(commit.files),
    ),
    guarded(
      `INSERT INTO published (table_name, partition_date, snapshot_id) SELECT ?6, ?2, ?5 WHERE ${held}
       ON CONFLICT DO UPDATE SET snapshot_id = excluded.snapshot_id`,
      commit.snapshotId,
      table,
    ),
    guarded(
      `INSERT INTO table_versions (table_name, version) SELECT ?5, 1 WHERE ${held} ON CONFLICT DO UPDATE SET version = version + 1`,
      table,
    ),
    ...(commit.removed === undefined ? [] : removedRowsStatements(commit.removed, commit.snapshotId, guard)),
    ...(commit.outcomes === undefined ? [] : outcomeStatements(commit.outcomes, guard)),
    guarded(
      `INSERT INTO partition_inputs (domain, partition_date, version)
       SELECT value, ?2, 1 FROM json_each(?5) WHERE ${held} ON CONFLICT DO UPDATE SET version = version + 1`,
      JSON.stringify(commit.dependents),
    ),
    ...(lease.replay ? countReplays(commit, { held, prepare: guarded }) : []),
    ...sawReplays(lease, { held, prepare: guarded }),
    guarded(
      `UPDATE partition_inputs SET built_version = ?5 WHERE domain = ?1 AND partition_date = ?2 AND built_version < ?5 AND ${held}`,
      lease.version,
    ),
    guarded(
      `UPDATE partition_meta SET status = iif(status = 'IN_FLIGHT', 'DONE', status), record_count = ?5, source_files = ?6, file_hash = ?7,
         silver_records = iif(?8 = 'silver', ?9, silver_records), gold_records = iif(?8 = 'gold', ?9, gold_records),
         silver_path = iif(?8 = 'silver', ?10, silver_path), gold_path = iif(?8 = 'gold', ?10, gold_path),
         retry_count = 0, error_message = NULL, updated_at = ${now}, processed_at = ${now}
       WHERE domain = ?1 AND partition_date = ?2 AND ${held}`,
      commit.rowsOut,
      commit.inputs.length,
      commit.inputDigest,
      commit.layer,
      commit.rowsOut,
      commit.path,
    ),
    guarded(
      `${endRun("DONE", { rows_in: "?5", rows_out: "?6", checks: "?7" })} AND l.run_id = ?3 AND l.fence = ?4`,
      commit.rowsIn,
      commit.rowsOut,
      commit.checks ?? null,
    ),
    guarded(
      `UPDATE partition_leases SET run_id = NULL, lease_until = 0, queued_at = 0, not_before = 0, failure_class = NULL, failed_version = NULL,
         revisions = revisions + late, late = 0
       WHERE domain = ?1 AND partition_date = ?2 AND run_id = ?3 AND fence = ?4`,
    ),
    publishedBy(db, table, date, runId),
  ];
  const results = await db.batch<{ mine: number }>(statements);
  return results.at(-1)?.results[0]?.mine === 1;
}

function publishedBy(db: D1Database, table: string, date: string, runId: string): D1PreparedStatement {
  return db
    .prepare(
      "SELECT count(*) AS mine FROM published JOIN snapshots USING (snapshot_id) WHERE published.table_name = ? AND published.partition_date = ? AND run_id = ?",
    )
    .bind(table, date, runId);
}

/** Whether the published snapshot of a partition is of this run: the question after a commit whose answer was lost. */
export async function isPublishedBy(db: D1Database, table: string, date: string, runId: string): Promise<boolean> {
  return (await publishedBy(db, table, date, runId).first<number>("mine")) === 1;
}
