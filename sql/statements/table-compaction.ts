/**
 * Compaction of tables in D1: which partitions have small files, the lease of a compaction, and its commit, which is a version with the
 * rows of the one before it. Times in milliseconds are D1's clock.
 */
import { rowsOf } from "../rows/row.ts";
import type { RowValues } from "../rows/row-error.ts";
import { type AddedFile, fileStatements, NEWEST } from "./data-files.ts";
import { leaseGuard } from "./guard.ts";
import { COMPACTION, endRun } from "./runs.ts";

const NOW_MS = "CAST(unixepoch('subsec') * 1000 AS INTEGER)";
const NOW_TEXT = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')";

export interface SmallFilesOfPartition {
  readonly table_name: string;
  readonly partition_date: string;
}

const SMALL_FILES = rowsOf(
  { table: "data_files", key: ["table_name", "partition_date"], remedy: "build the partition again" },
  (row): SmallFilesOfPartition => ({
    table_name: row.text("table_name"),
    partition_date: row.date("partition_date"),
  }),
);

/**
 * The partitions of these tables with at least two files of fewer than `smallBytes` that stand in D1, which those of the last days do;
 * those behind `after` in the order of table and date, at most `limit`. Reads every file that D1 lists.
 */
export async function partitionsWithSmallFiles(
  db: D1Database,
  tables: readonly string[],
  smallBytes: number,
  after: SmallFilesOfPartition | null,
  limit: number,
): Promise<SmallFilesOfPartition[]> {
  return await SMALL_FILES.all(
    db
      .prepare(
        `SELECT table_name, partition_date FROM data_files
         WHERE table_name IN (SELECT value FROM json_each(?1)) AND (table_name, partition_date) > (?3, ?4)
           AND kind = 'data' AND added IS NOT NULL AND removed IS NULL AND bytes < ?2
         GROUP BY table_name, partition_date HAVING count(*) >= 2 ORDER BY table_name, partition_date LIMIT ?5`,
      )
      .bind(JSON.stringify(tables), smallBytes, after?.table_name ?? "", after?.partition_date ?? "", limit),
  );
}

export interface CompactionLease {
  readonly domain: string;
  readonly date: string;
  readonly runId: string;
  readonly fence: number;
}

const LEASES = rowsOf(
  { table: "partition_leases", key: ["domain", "partition_date"], remedy: "set the column right" },
  (row) => row.integer("fence"),
);

/** A compaction that wants a partition. */
export interface CompactionLeaseRequest extends Omit<CompactionLease, "fence"> {
  readonly table: string;
  /** What this deploy says of the table (`generations.ts`). */
  readonly content: string;
  readonly leaseMs: number;
}

/**
 * Takes the lease of a partition that waits for nothing, or gives undefined: while it waits for a build or has one, is held by a rollback,
 * or is of another generation than the deploy's, whose columns are not this deploy's to write. The status stays: a build that is asked
 * for meanwhile comes behind it.
 */
export async function leaseForCompaction(
  db: D1Database,
  { domain, date, runId, table, content, leaseMs }: CompactionLeaseRequest,
): Promise<CompactionLease | undefined> {
  const free = `l.lease_until < ${NOW_MS}
    AND EXISTS (SELECT 1 FROM partition_meta WHERE domain = ?1 AND partition_date = ?2 AND status = 'DONE')
    AND NOT EXISTS (SELECT 1 FROM pinned_partitions WHERE domain = ?1 AND partition_date = ?2)
    AND EXISTS (SELECT 1 FROM published p JOIN versions v USING (table_name, version) WHERE p.table_name = ?4 AND p.partition_date = ?2
      AND (NOT EXISTS (SELECT 1 FROM table_generations WHERE table_name = ?4)
        OR v.generation = (SELECT g.generation FROM table_generations g WHERE g.table_name = ?4 AND g.content = ?5)))`;
  const [, , held] = await db.batch<RowValues>([
    // A compaction that did not end by itself: its isolate is gone.
    db.prepare(`${endRun("LOST")} AND l.run_id <> ?3 AND ${free}`).bind(domain, date, runId, table, content),
    db
      .prepare(
        `UPDATE partition_leases AS l SET fence = fence + 1, run_id = ?3, nonce = '${COMPACTION}', started_at = ${NOW_TEXT},
           lease_until = ${NOW_MS} + ?6 WHERE domain = ?1 AND partition_date = ?2 AND ${free}`,
      )
      .bind(domain, date, runId, table, content, leaseMs),
    db
      .prepare("SELECT * FROM partition_leases WHERE domain = ?1 AND partition_date = ?2 AND run_id = ?3")
      .bind(domain, date, runId),
  ]);
  const [fence] = LEASES.in(held);
  return fence === undefined ? undefined : { domain, date, runId, fence };
}

export interface TableCompaction {
  readonly lease: CompactionLease;
  readonly table: string;
  /** Of the version whose rows these are. */
  readonly before: { readonly version: number; readonly run_id: string };
  readonly added: readonly AddedFile[];
  /** R2 keys, which D1 lists. */
  readonly removed: readonly string[];
  readonly rows: number;
}

/**
 * Publishes a version that says of the partition what the one before it said. What the next build goes on from is that of the new
 * version, and what reads the table has nothing new. One batch, guarded by the fence, which turns last; gives whether it is ours.
 */
export async function commitCompaction(db: D1Database, compaction: TableCompaction): Promise<boolean> {
  const { lease, table, before, added, removed, rows } = compaction;
  const guard = leaseGuard(db, lease);
  const { held, prepare } = guard;
  const results = await db.batch<RowValues>([
    prepare(
      `INSERT INTO versions (table_name, version, partition_date, run_id, fence, kind, rows, rows_added, seen, complete_through, digest, terms,
         generation, rows_of, committed_at)
       SELECT table_name, ${NEWEST} + 1, partition_date, ?3, ?4, 'commit', rows, 0, seen, complete_through, digest, terms,
         generation, coalesce(rows_of, version), ${NOW_TEXT} FROM versions WHERE table_name = ?5 AND version = ?6 AND ${held}`,
      table,
      before.version,
    ),
    ...fileStatements(table, { added, removed }, guard),
    prepare(
      `UPDATE published SET version = ${NEWEST} WHERE table_name = ?5 AND partition_date = ?2 AND version = ?6 AND ${held}`,
      table,
      before.version,
    ),
    prepare(
      `UPDATE silver_progress SET run_id = ?3
       WHERE topic = ?1 AND partition_date = ?2 AND line = 'published' AND run_id = ?5 AND ${held}`,
      before.run_id,
    ),
    prepare(`${endRun("DONE", { rows_in: "?5", rows_out: "?5" })} AND l.run_id = ?3 AND l.fence = ?4`, rows),
    release(lease, db),
    committedBy(db, table, lease.runId),
  ]);
  return MINE.in(results.at(-1))[0] === 1;
}

/** Ends a run that committed nothing: with an error as FAILED, else without a trace. Nothing happens once the lease is another's. */
export function endCompaction(db: D1Database, lease: CompactionLease, error: string | null): D1PreparedStatement[] {
  const { prepare } = leaseGuard(db, lease);
  return [
    ...(error === null
      ? []
      : [prepare(`${endRun("FAILED", { error_message: "?5" })} AND l.run_id = ?3 AND l.fence = ?4`, error)]),
    release(lease, db),
  ];
}

function release(lease: CompactionLease, db: D1Database): D1PreparedStatement {
  return leaseGuard(db, lease).prepare(
    // A build may have been turned away meanwhile: the planner asks for it again at once, not in a minute.
    `UPDATE partition_leases SET run_id = NULL, nonce = NULL, lease_until = 0, queued_at = 0
     WHERE domain = ?1 AND partition_date = ?2 AND run_id = ?3 AND fence = ?4`,
  );
}

const MINE = rowsOf({ table: "versions", key: [], remedy: "ask again" }, (row) => row.integer("mine"));

function committedBy(db: D1Database, table: string, runId: string): D1PreparedStatement {
  return db.prepare("SELECT count(*) AS mine FROM versions WHERE table_name = ? AND run_id = ?").bind(table, runId);
}

/** Whether a run committed: the question after a commit whose answer was lost. */
export async function isCommittedBy(db: D1Database, table: string, runId: string): Promise<boolean> {
  return (await MINE.first(committedBy(db, table, runId))) === 1;
}
