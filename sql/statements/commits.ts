/** The one fenced commit that publishes a version of a table. */
import { rowsOf } from "../rows/row.ts";
import type { RowValues } from "../rows/row-error.ts";
import { type BronzeTerms, bronzeTermsJson, bronzeTermsStatements } from "./bronze-terms.ts";
import { type FileChanges, fileStatements, NEWEST } from "./data-files.ts";
import { type Guard, leaseGuard } from "./guard.ts";
import type { Lease } from "./leases.ts";
import { countRebuilds, sawRebuilds } from "./partition-rebuilds.ts";
import { endRun } from "./runs.ts";
import { markStale, type StalePartition } from "./stale-partitions.ts";

/** What a version says of its partition. */
export interface VersionRow {
  readonly table: string;
  readonly kind: "commit" | "rollback";
  /** Rows of the partition after it, and those that it adds. */
  readonly rows: number;
  readonly rowsAdded: number;
  /** The highest registration of the bronze files that it was built from; null where the table is not a topic's silver. */
  readonly seen: number | null;
  /** Every event that a buffer took in before this time (ISO 8601 UTC) is in it; null: not known. */
  readonly completeThrough: string | null;
  /** Digest of the inputs that were handed to the builder, never of those read again (`lakehouse/builds/digest.ts`). */
  readonly digest: string;
  /** The topic whose silver the table is; null for any other. */
  readonly topic: string | null;
  readonly generation: BuiltGeneration;
}

/**
 * Of which generation of the table the partition is: that of what a deploy says of it, if the catalog says the same (`generations.ts`;
 * null: of none), or the one that its rows were of before.
 */
export type BuiltGeneration = { readonly content: string | null } | { readonly kept: string | null };

export interface Commit extends Omit<VersionRow, "kind" | "topic">, FileChanges {
  readonly lease: Lease;
  /** Rows that the run read. */
  readonly rowsIn: number;
  /** How many inputs there are: bronze files, or partitions of tables. */
  readonly inputs: number;
  readonly layer: "silver" | "gold";
  readonly path: string;
  /** Whether checks are left to be judged once the partition has closed. */
  readonly awaitsClosing: boolean;
  /** The partitions that read this one. */
  readonly dependents: readonly StalePartition[];
  /** Where the bronze rows went; undefined where the table is not a topic's silver. */
  readonly terms?: BronzeTerms;
  /** What the run's checks found (`quality.ts`); absent where there were none. */
  readonly checks?: string | undefined;
  /** What else turns with it. */
  also?(guard: Guard): D1PreparedStatement[];
}

const NOW = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')";

/**
 * Publishes a version: one batch, every statement guarded by the lease's fence, the fence itself turned last (in a D1
 * batch an UPDATE that matches nothing does not stop what follows it). A status that an operator set during the build stays:
 * it asks for another one. Gives whether this run's version is published:
 * the answer is read in the same batch, so it is right whoever won.
 */
export async function commitVersion(db: D1Database, commit: Commit): Promise<boolean> {
  const { lease, table, terms } = commit;
  const { date, runId } = lease;
  const guard = leaseGuard(db, lease);
  const { held, prepare } = guard;

  const statements = [
    ...(terms === undefined ? [] : bronzeTermsStatements(terms, guard)),
    ...versionStatements(
      { ...commit, kind: "commit", topic: terms?.topic ?? null },
      fileStatements(table, commit, guard),
      guard,
    ),
    ...(commit.also?.(guard) ?? []),
    ...markStale(commit.dependents, guard),
    ...(lease.rebuild ? countRebuilds(commit, guard) : []),
    ...sawRebuilds(lease, guard),
    prepare(
      `UPDATE partition_inputs SET built_version = ?5 WHERE domain = ?1 AND partition_date = ?2 AND built_version < ?5 AND ${held}`,
      lease.version,
    ),
    prepare(
      `UPDATE partition_meta SET status = iif(status = 'IN_FLIGHT', 'DONE', status), record_count = ?5, source_files = ?6, file_hash = ?7,
         silver_records = iif(?8 = 'silver', ?9, silver_records), gold_records = iif(?8 = 'gold', ?9, gold_records),
         silver_path = iif(?8 = 'silver', ?10, silver_path), gold_path = iif(?8 = 'gold', ?10, gold_path),
         retry_count = 0, error_message = NULL, updated_at = ${NOW}, processed_at = ${NOW}
       WHERE domain = ?1 AND partition_date = ?2 AND ${held}`,
      commit.rows,
      commit.inputs,
      commit.digest,
      commit.layer,
      commit.rows,
      commit.path,
    ),
    // A statement of its own, which mostly finds nothing to change: one that names the column writes the index each time.
    prepare(
      `UPDATE partition_leases SET awaits_closing = ?5 WHERE domain = ?1 AND partition_date = ?2 AND awaits_closing <> ?5 AND ${held}`,
      commit.awaitsClosing ? 1 : 0,
    ),
    prepare(
      `${endRun("DONE", { rows_in: "?5", rows_out: "?6", checks: "?7" })} AND l.run_id = ?3 AND l.fence = ?4`,
      commit.rowsIn,
      commit.rows,
      commit.checks ?? null,
    ),
    prepare(
      `UPDATE partition_leases SET run_id = NULL, lease_until = 0, queued_at = 0, not_before = 0, failure_class = NULL, failed_version = NULL,
         revisions = revisions + late, late = 0, vanished = 0, splits = 0, pieces = 0
       WHERE domain = ?1 AND partition_date = ?2 AND run_id = ?3 AND fence = ?4`,
    ),
    publishedBy(db, table, date, runId),
  ];
  const results = await db.batch<RowValues>(statements);
  return MINE.in(results.at(-1))[0] === 1;
}

/** The version's row, what it does to files, and the turn of what is published. Behind the terms of the ledger, which it notes. */
export function versionStatements(
  version: VersionRow,
  files: readonly D1PreparedStatement[],
  guard: Guard,
): D1PreparedStatement[] {
  const { table, topic, rows, generation } = version;
  return [
    guard.prepare(
      `INSERT INTO versions (table_name, version, partition_date, run_id, fence, kind, rows, rows_added, seen, complete_through, digest, terms, generation, committed_at)
       SELECT ?5, coalesce(${NEWEST}, 0) + 1, ?2, ?3,
         (SELECT fence FROM partition_leases WHERE domain = ?1 AND partition_date = ?2), ?6, ?7, ?8, ?9, ?10, ?11,
         iif(?12 IS NULL, NULL, ${bronzeTermsJson("?12", "?2")}),
         coalesce(?13, (SELECT g.generation FROM table_generations g WHERE g.table_name = ?5 AND g.content = ?14)), ${NOW} WHERE ${guard.held}`,
      table,
      version.kind,
      rows,
      version.rowsAdded,
      version.seen,
      version.completeThrough,
      version.digest,
      topic,
      "kept" in generation ? generation.kept : null,
      "content" in generation ? generation.content : null,
    ),
    ...files,
    guard.prepare(
      `INSERT INTO published (table_name, partition_date, version, rows) SELECT ?5, ?2, ${NEWEST}, ?6 WHERE ${guard.held}
       ON CONFLICT DO UPDATE SET version = excluded.version, rows = excluded.rows`,
      table,
      rows,
    ),
  ];
}

const MINE = rowsOf({ table: "versions", key: [], remedy: "ask again" }, (row) => row.integer("mine"));

function publishedBy(db: D1Database, table: string, date: string, runId: string): D1PreparedStatement {
  return db
    .prepare(
      `SELECT count(*) AS mine FROM published p JOIN versions v USING (table_name, version)
       WHERE p.table_name = ? AND p.partition_date = ? AND v.run_id = ?`,
    )
    .bind(table, date, runId);
}

/** Whether the published version of a partition is of this run: the question after a commit whose answer was lost. */
export async function isPublishedBy(db: D1Database, table: string, date: string, runId: string): Promise<boolean> {
  return (await MINE.first(publishedBy(db, table, date, runId))) === 1;
}
