/** Closed partitions give their rows of `data_files` up to their manifest, and take them back before a commit changes them. */
import { rowsOf } from "../rows/row.ts";
import type { RowValues } from "../rows/row-error.ts";
import type { FileRow } from "./data-files.ts";
import { tombstoneColumns } from "./tombstones.ts";

export interface FoldablePartition {
  readonly table_name: string;
  readonly partition_date: string;
  readonly version: number;
}

const FOLDABLE = rowsOf(
  { table: "published", key: ["table_name", "partition_date"], remedy: "build the partition again" },
  (row): FoldablePartition => ({
    table_name: row.text("table_name"),
    partition_date: row.date("partition_date"),
    version: row.integer("version"),
  }),
);

const OWN = "FROM data_files f WHERE f.table_name = p.table_name AND f.partition_date = p.partition_date";
/** A build is changing the files, or a rollback brought one back: thinning then needs its rows in D1. Other files of older versions may stand there beside a manifest. */
const CHANGING = `(EXISTS (SELECT 1 ${OWN} AND f.added IS NULL)
  OR EXISTS (SELECT 1 ${OWN} AND f.removed IS NOT NULL) AND EXISTS (SELECT 1 ${OWN} AND f.again > 0))`;

/** At most `limit` partitions of these tables that were last committed before `before` (ISO 8601) and have live files in D1. */
export async function foldablePartitions(
  db: D1Database,
  tables: readonly string[],
  before: string,
  limit: number,
): Promise<FoldablePartition[]> {
  return await FOLDABLE.all(
    db
      .prepare(
        `SELECT p.table_name, p.partition_date, p.version FROM published p JOIN versions v USING (table_name, version)
         WHERE p.table_name IN (SELECT value FROM json_each(?1)) AND v.committed_at < ?2
           AND EXISTS (SELECT 1 ${OWN} AND f.removed IS NULL)
           AND NOT ${CHANGING}
         ORDER BY p.table_name, p.partition_date LIMIT ?3`,
      )
      .bind(JSON.stringify(tables), before, limit),
  );
}

/**
 * Leaves a partition's live files to the manifest of its version, unless it has another one by now, or a build is under way that will change
 * them. One transaction; gives whether it happened.
 */
export async function foldPartition(
  db: D1Database,
  { table_name, partition_date, version }: FoldablePartition,
  domain: string,
  manifest: string,
): Promise<boolean> {
  const [, done] = await db.batch<RowValues>([
    buryManifest(db, table_name, partition_date, manifest),
    db
      .prepare(
        `UPDATE published AS p SET manifest = ?5 WHERE table_name = ?1 AND partition_date = ?2 AND version = ?3 AND NOT ${CHANGING}
           AND NOT EXISTS (SELECT 1 FROM partition_leases l WHERE l.domain = ?4 AND l.partition_date = ?2 AND l.run_id IS NOT NULL)
         RETURNING 1 AS done`,
      )
      .bind(table_name, partition_date, version, domain, manifest),
    db
      .prepare(
        `DELETE FROM data_files WHERE table_name = ?1 AND partition_date = ?2 AND removed IS NULL
           AND EXISTS (SELECT 1 FROM published p WHERE p.table_name = ?1 AND p.partition_date = ?2 AND p.version = ?3 AND p.manifest = ?4)`,
      )
      .bind(table_name, partition_date, version, manifest),
  ]);
  return (done?.results.length ?? 0) > 0;
}

/** Takes the files of a manifest back into D1, if the partition still leaves them to it. One transaction; may be done again. */
export async function unfoldPartition(
  db: D1Database,
  table: string,
  manifest: string,
  files: readonly FileRow[],
): Promise<void> {
  const left = "EXISTS (SELECT 1 FROM published p WHERE p.table_name = ?1 AND p.manifest = ?2)";
  const [date = ""] = files.map(({ partition_date }) => partition_date);
  await db.batch([
    buryManifest(db, table, date, null),
    db
      .prepare(
        `INSERT INTO data_files (table_name, partition_date, file, again, kind, added, rows, bytes, stats, holds)
         SELECT ?1, value ->> 'partition_date', value ->> 'file', 0, value ->> 'kind', value ->> 'added', value ->> 'rows',
           value ->> 'bytes', value ->> 'stats', value ->> 'holds' FROM json_each(?3) WHERE ${left} ON CONFLICT DO NOTHING`,
      )
      .bind(table, manifest, JSON.stringify(files)),
    db.prepare("UPDATE published SET manifest = NULL WHERE table_name = ? AND manifest = ?").bind(table, manifest),
  ]);
}

/** Tombstones the manifest that a partition leaves for another one or none (null), if the version that it is of was forgotten before. */
function buryManifest(db: D1Database, table: string, date: string, next: string | null): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO tombstones (object, reason, tombstoned_at, delete_after)
       SELECT ${tombstoneColumns("p.manifest", "'superseded'")} FROM published p
       WHERE p.table_name = ?1 AND p.partition_date = ?2 AND p.manifest IS NOT NULL AND p.manifest IS NOT ?3
         AND NOT EXISTS (SELECT 1 FROM versions v WHERE v.table_name = ?1 AND v.partition_date = ?2
           AND p.manifest LIKE '%-v' || v.version || '.json')
       ON CONFLICT DO NOTHING`,
    )
    .bind(table, date, next);
}
