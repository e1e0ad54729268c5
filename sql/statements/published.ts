/** The statements on what readers may read: published versions and their files. */
import { rowsOf } from "../rows/row.ts";
import type { RowValues } from "../rows/row-error.ts";
import { FILE_COLUMNS, FILE_ROWS, type FileRow, isLiveAt } from "./data-files.ts";

const remedy = "build the partition again";

export interface PublishedTable {
  readonly table_name: string;
  /** Grows with every commit to the table; the one that readers are held at while its dates are built again (`generations.ts`). */
  readonly version: number;
  readonly partitions: number;
  readonly rows: number;
  /** ISO 8601 UTC. */
  readonly committed_at: string;
}

const PUBLISHED_TABLES = rowsOf(
  { table: "published", key: ["table_name"], remedy: "build its partitions again" },
  (row): PublishedTable => ({
    table_name: row.text("table_name"),
    version: row.integer("version"),
    partitions: row.integer("partitions"),
    rows: row.count("rows"),
    committed_at: row.time("committed_at"),
  }),
);

const HELD = "SELECT g.shown_version FROM table_generations g WHERE g.table_name = p.table_name";
const TABLES = `
  SELECT p.table_name, max(p.version) AS version, count(*) AS partitions, sum(p.rows) AS rows,
    (SELECT committed_at FROM versions v WHERE v.table_name = p.table_name ORDER BY version DESC LIMIT 1) AS committed_at
  FROM published p
  WHERE (?1 IS NULL OR p.table_name = ?1) AND (${HELD}) IS NULL
  GROUP BY p.table_name
  UNION ALL
  SELECT h.table_name, h.version, count(*), sum(h.rows),
    (SELECT committed_at FROM versions v WHERE v.table_name = h.table_name AND v.version = h.version)
  FROM (SELECT g.table_name, g.shown_version AS version, v.partition_date, v.rows, max(v.version)
        FROM table_generations g JOIN versions v ON v.table_name = g.table_name AND v.version <= g.shown_version
        WHERE ?1 IS NULL OR g.table_name = ?1 GROUP BY g.table_name, v.partition_date) h
  GROUP BY h.table_name
  ORDER BY 1`;

/** Every table with a published partition, by name. */
export async function publishedTables(db: D1Database): Promise<PublishedTable[]> {
  return await PUBLISHED_TABLES.all(db.prepare(TABLES).bind(null));
}

/** One published table; null if no partition of it is. */
export async function publishedTable(db: D1Database, table: string): Promise<PublishedTable | null> {
  return await PUBLISHED_TABLES.first(db.prepare(TABLES).bind(table));
}

/** Versions of a table are thinned with time, so that this reads some hundred rows. */
const AS_OF = `
  SELECT v.table_name, v.version, v.committed_at, count(*) AS partitions, sum(o.rows) AS rows
  FROM versions v
  JOIN (SELECT rows, max(version) FROM versions WHERE table_name = ?1 AND version <= ?2 GROUP BY partition_date) o
  WHERE v.table_name = ?1 AND v.version = ?2
  GROUP BY v.table_name, v.version`;

/** A table as it was at one of its versions, which can be read (`readableVersion`). Null: the version has left the catalog. */
export async function publishedTableAsOf(
  db: D1Database,
  table: string,
  version: number,
): Promise<PublishedTable | null> {
  return await PUBLISHED_TABLES.first(db.prepare(AS_OF).bind(table, version));
}

/** A partition's live version. */
export interface PublishedPartition {
  readonly partition_date: string;
  readonly version: number;
  readonly rows: number;
  /** R2 key of the object that has its files, of which D1 has none; null: D1 has them. */
  readonly manifest: string | null;
}

const PARTITIONS = rowsOf(
  { table: "published", key: ["table_name", "partition_date"], remedy },
  (row): PublishedPartition => ({
    partition_date: row.date("partition_date"),
    version: row.integer("version"),
    rows: row.count("rows"),
    manifest: row.textOrNull("manifest"),
  }),
);

const NEWEST = rowsOf({ table: "versions", key: [], remedy }, (row) => ({
  version: row.integer("version"),
  held: row.integerOrNull("held"),
}));

export interface PublishedState {
  /** Of the table; 0 before the first commit. */
  readonly version: number;
  /** The version that readers are held at (`generations.ts`); null: none. */
  readonly held: number | null;
  /** By date. */
  readonly partitions: readonly PublishedPartition[];
  /** Of the partitions that changed behind the version asked for, and that are not in a manifest: by date and key. */
  readonly files: readonly FileRow[];
}

/** All partitions of a table, and the files of those that were committed after version `behind`, as of one moment. */
export async function publishedState(db: D1Database, table: string, behind: number): Promise<PublishedState> {
  const [newest, partitions, files] = await db.batch<RowValues>([
    newestVersion(db, table),
    db
      .prepare(
        "SELECT table_name, partition_date, version, rows, manifest FROM published WHERE table_name = ? ORDER BY partition_date",
      )
      .bind(table),
    db
      .prepare(
        `SELECT ${FILE_COLUMNS} FROM published p JOIN data_files f USING (table_name, partition_date)
         WHERE p.table_name = ?1 AND p.version > ?2 AND ${isLiveAt("p.version")} ORDER BY f.partition_date, f.file`,
      )
      .bind(table, behind),
  ]);
  return {
    ...(NEWEST.in(newest)[0] ?? NONE),
    partitions: PARTITIONS.in(partitions),
    files: FILE_ROWS.in(files),
  };
}

export interface PublishedVersion extends PublishedPartition {
  readonly run_id: string;
  /** The version whose rows it has, in other files (`table-compaction.ts`); null: they are its own. */
  readonly rows_of: number | null;
  /** As `VersionRow` (`commits.ts`) has them. */
  readonly seen: number | null;
  readonly complete_through: string | null;
  readonly digest: string;
  /** null: not known. */
  readonly generation: string | null;
  readonly committed_at: string;
}

const PUBLISHED_VERSIONS = rowsOf(
  { table: "versions", key: ["table_name", "version"], remedy },
  (row): PublishedVersion => ({
    partition_date: row.date("partition_date"),
    version: row.integer("version"),
    rows: row.count("rows"),
    manifest: row.textOrNull("manifest"),
    run_id: row.text("run_id"),
    rows_of: row.integerOrNull("rows_of"),
    seen: row.integerOrNull("seen"),
    complete_through: row.timeOrNull("complete_through"),
    digest: row.text("digest"),
    generation: row.textOrNull("generation"),
    committed_at: row.time("committed_at"),
  }),
);

export interface PublishedFiles extends PublishedVersion {
  /** Those in D1, by key. */
  readonly files: readonly FileRow[];
}

/** One partition's live version and its files in D1; undefined when none is published. */
export async function publishedPartition(
  db: D1Database,
  table: string,
  date: string,
): Promise<PublishedFiles | undefined> {
  const [row] = await publishedPartitions(db, table, [date]);
  return row;
}

/**
 * The live versions of these dates and their files in D1, as of one moment; those of which none is published are absent. Two queries.
 * `fileColumns`: those of `FILE_COLUMNS`, or without statistics.
 */
export async function publishedPartitions(
  db: D1Database,
  table: string,
  dates: readonly string[],
  fileColumns = FILE_COLUMNS,
): Promise<PublishedFiles[]> {
  const asked = JSON.stringify(dates);
  const published = "json_each(?2) d CROSS JOIN published p ON p.table_name = ?1 AND p.partition_date = d.value";
  const [partitions, files] = await db.batch<RowValues>([
    db
      .prepare(
        `SELECT p.table_name, p.partition_date, p.version, p.rows, p.manifest, v.run_id, v.rows_of, v.seen, v.complete_through, v.digest, v.generation, v.committed_at
         FROM ${published} JOIN versions v USING (table_name, version)`,
      )
      .bind(table, asked),
    db
      .prepare(
        `SELECT ${fileColumns} FROM ${published} JOIN data_files f USING (table_name, partition_date)
         WHERE ${isLiveAt("p.version")} ORDER BY f.file`,
      )
      .bind(table, asked),
  ]);
  const byDate = Map.groupBy(FILE_ROWS.in(files), ({ partition_date }) => partition_date);
  return PUBLISHED_VERSIONS.in(partitions).map((row) => ({ ...row, files: byDate.get(row.partition_date) ?? [] }));
}

/** The number of the version that readers of a table are to have; 0 before the first. */
export async function tableVersion(db: D1Database, table: string): Promise<number> {
  const { version, held } = (await NEWEST.first(newestVersion(db, table))) ?? NONE;
  return held ?? version;
}

const NONE = { version: 0, held: null };

function newestVersion(db: D1Database, table: string): D1PreparedStatement {
  return db
    .prepare(
      `SELECT coalesce(max(version), 0) AS version, (SELECT shown_version FROM table_generations WHERE table_name = ?1) AS held
       FROM versions WHERE table_name = ?1`,
    )
    .bind(table);
}

/** Whether the catalog answers. Throws D1's error if it does not. */
export async function pingCatalog(db: D1Database): Promise<void> {
  await db.prepare("SELECT 1").first();
}
