/** The statements on what readers may read: published snapshots and their files. */
import { rowsOf } from "../rows/row.ts";

export interface PublishedTable {
  readonly table_name: string;
  /** Grows with every commit to the table; null before the first. */
  readonly version: number | null;
  readonly partitions: number;
  readonly rows: number;
  /** ISO 8601 UTC. */
  readonly committed_at: string;
}

const PUBLISHED_TABLES = rowsOf(
  { table: "snapshots", key: ["table_name"], remedy: "build its partitions again" },
  (row): PublishedTable => ({
    table_name: row.text("table_name"),
    version: row.integerOrNull("version"),
    partitions: row.integer("partitions"),
    rows: row.integer("rows"),
    committed_at: row.time("committed_at"),
  }),
);

const TABLES = `
  SELECT p.table_name, v.version, count(*) AS partitions, sum(s.rows) AS rows, max(s.committed_at) AS committed_at
  FROM published p
  JOIN snapshots s ON s.snapshot_id = p.snapshot_id
  LEFT JOIN table_versions v ON v.table_name = p.table_name
  WHERE ?1 IS NULL OR p.table_name = ?1
  GROUP BY p.table_name
  ORDER BY p.table_name`;

/** Every table with a published partition, by name. */
export async function publishedTables(db: D1Database): Promise<PublishedTable[]> {
  return await PUBLISHED_TABLES.all(db.prepare(TABLES).bind(null));
}

/** One published table; null if no partition of it is. */
export async function publishedTable(db: D1Database, table: string): Promise<PublishedTable | null> {
  return await PUBLISHED_TABLES.first(db.prepare(TABLES).bind(table));
}

export interface PublishedFile {
  readonly partition_date: string;
  readonly snapshot_id: string;
  /** R2 key. */
  readonly file: string;
  readonly rows: number;
  readonly bytes: number;
}

const PUBLISHED_FILES = rowsOf(
  { table: "snapshot_files", key: ["snapshot_id", "file"], remedy: "build the partition again" },
  (row): PublishedFile => ({
    partition_date: row.date("partition_date"),
    snapshot_id: row.text("snapshot_id"),
    file: row.text("file"),
    rows: row.integer("rows"),
    bytes: row.integer("bytes"),
  }),
);

/** The files of a table's published snapshots, by date and key; of one date if it is given. */
export function publishedFiles(db: D1Database, table: string, date: string | null): Promise<PublishedFile[]> {
  return filesIn("snapshot_files", db, table, date);
}

/** The files of the rows that checks keep out of a table's published snapshots, by date and key; of one date if it is given. */
export function quarantinedFiles(db: D1Database, table: string, date: string | null): Promise<PublishedFile[]> {
  return filesIn("quarantine_files", db, table, date);
}

async function filesIn(
  list: "snapshot_files" | "quarantine_files",
  db: D1Database,
  table: string,
  date: string | null,
): Promise<PublishedFile[]> {
  return await PUBLISHED_FILES.all(
    db
      .prepare(`
      SELECT p.partition_date, p.snapshot_id, f.file, f.rows, f.bytes
      FROM published p
      JOIN ${list} f ON f.snapshot_id = p.snapshot_id
      WHERE p.table_name = ?1 AND (?2 IS NULL OR p.partition_date = ?2)
      ORDER BY p.partition_date, f.file`)
      .bind(table, date),
  );
}

/** Whether the catalog answers. Throws D1's error if it does not. */
export async function pingCatalog(db: D1Database): Promise<void> {
  await db.prepare("SELECT 1").first();
}
