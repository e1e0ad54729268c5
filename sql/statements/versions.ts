/** Reading the versions of a table, and its files as of one. */
import { rowsOf } from "../rows/row.ts";
import type { RowValues } from "../rows/row-error.ts";
import { FILE_COLUMNS, FILE_ROWS, type FileRow, isLiveAt } from "./data-files.ts";

const VERSION_KINDS = ["commit", "rollback", "adopted", "compaction"] as const;
const remedy = "build the partition again";

export interface TableVersion {
  readonly version: number;
  readonly partition_date: string;
  readonly kind: (typeof VERSION_KINDS)[number];
  readonly run_id: string;
  readonly rows: number;
  readonly rows_added: number;
  readonly seen: number | null;
  readonly complete_through: string | null;
  readonly digest: string;
  /** The table cannot be read as of it any more. */
  readonly thinned: boolean;
  /** ISO 8601 UTC. */
  readonly committed_at: string;
}

const VERSIONS = rowsOf(
  { table: "versions", key: ["table_name", "version"], remedy },
  (row): TableVersion => ({
    version: row.integer("version"),
    partition_date: row.date("partition_date"),
    kind: row.oneOf("kind", VERSION_KINDS),
    run_id: row.text("run_id"),
    rows: row.count("rows"),
    rows_added: row.integer("rows_added"),
    seen: row.integerOrNull("seen"),
    complete_through: row.timeOrNull("complete_through"),
    digest: row.text("digest"),
    thinned: row.flag("thinned"),
    committed_at: row.time("committed_at"),
  }),
);

const COLUMNS =
  "table_name, version, partition_date, iif(rows_of IS NULL, kind, 'compaction') AS kind, run_id, rows, rows_added, seen, complete_through, digest, thinned, committed_at";

/** Versions of a table below `before` (null: from the newest on), of one date if it is given; the newest first. */
export async function listVersions(
  db: D1Database,
  table: string,
  date: string | null,
  before: number | null,
  limit: number,
): Promise<TableVersion[]> {
  return await VERSIONS.all(
    db
      .prepare(
        `SELECT ${COLUMNS} FROM versions WHERE table_name = ?1 AND (?2 IS NULL OR partition_date = ?2) AND (?3 IS NULL OR version < ?3)
         ORDER BY version DESC LIMIT ?4`,
      )
      .bind(table, date, before, limit),
  );
}

/** The newest version up to `version` that the table can be read as of; undefined when there is none. */
export async function readableVersion(
  db: D1Database,
  table: string,
  version: number,
): Promise<TableVersion | undefined> {
  const row = await VERSIONS.first(
    db
      .prepare(
        `SELECT ${COLUMNS} FROM versions WHERE table_name = ? AND version <= ? AND thinned = 0 ORDER BY version DESC LIMIT 1`,
      )
      .bind(table, version),
  );
  return row ?? undefined;
}

/** Where the files of some dates stand: rows of D1, and, for dates that are closed, manifests of which those files count that were there by then. */
export interface FilesAsOf {
  readonly manifests: readonly { readonly partition_date: string; readonly manifest: string | null }[];
  readonly files: readonly FileRow[];
}

const MANIFESTS = rowsOf({ table: "published", key: ["table_name", "partition_date"], remedy }, (row) => ({
  partition_date: row.date("partition_date"),
  manifest: row.textOrNull("manifest"),
}));

/** Of at most `limit` dates behind `after`, as of a version that can be read; of one date if it is given. */
export async function filesAsOf(
  db: D1Database,
  table: string,
  version: number,
  date: string | null,
  after: string,
  limit: number,
): Promise<FilesAsOf> {
  const dates = `SELECT table_name, partition_date, manifest FROM published
    WHERE table_name = ?1 AND partition_date > ?3 AND (?2 IS NULL OR partition_date = ?2) ORDER BY partition_date LIMIT ?4`;
  const [manifests, files] = await db.batch<RowValues>([
    db.prepare(dates).bind(table, date, after, limit),
    db
      .prepare(
        `SELECT ${FILE_COLUMNS} FROM (${dates}) p JOIN data_files f ON f.table_name = ?1 AND f.partition_date = p.partition_date
         WHERE ${isLiveAt("?5")} ORDER BY f.partition_date, f.file`,
      )
      .bind(table, date, after, limit, version),
  ]);
  return { manifests: MANIFESTS.in(manifests), files: FILE_ROWS.in(files) };
}
