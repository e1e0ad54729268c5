/** What one partition stands on: its inputs, and what is published of it. */
import { rowsOf } from "../rows/row.ts";

export interface BronzeOfPartition {
  /** Files that flushes wrote for it; compacted ones are none. */
  readonly files: number;
  readonly rows: number;
  /** Some of its bronze is retired, so that it cannot be built again. */
  readonly sealed: boolean;
}

const BRONZE = rowsOf(
  { table: "bronze_file_dates", key: [], remedy: "restore it with D1's Time Travel" },
  (row): BronzeOfPartition => ({
    files: row.integer("files"),
    rows: row.integer("rows"),
    sealed: row.flag("sealed"),
  }),
);

export async function bronzeOfPartition(db: D1Database, topic: string, date: string): Promise<BronzeOfPartition> {
  const row = await BRONZE.first(
    db
      .prepare(
        `SELECT count(*) AS files, coalesce(sum(d.rows), 0) AS rows,
              EXISTS (SELECT 1 FROM sealed_partitions s WHERE s.topic = ?1 AND s.partition_date = ?2) AS sealed
       FROM bronze_file_dates d
       WHERE d.topic = ?1 AND d.partition_date = ?2 AND NOT EXISTS (SELECT 1 FROM compactions WHERE file = d.file)`,
      )
      .bind(topic, date),
  );
  return row ?? { files: 0, rows: 0, sealed: false };
}

export interface PublishedOfPartition {
  readonly table_name: string;
  readonly snapshot_id: string;
  readonly run_id: string;
  readonly committed_at: string;
  readonly rows: number;
  readonly files: number;
  readonly bytes: number;
}

const PUBLISHED = rowsOf(
  { table: "published", key: ["table_name", "snapshot_id"], remedy: "restore it with D1's Time Travel" },
  (row): PublishedOfPartition => ({
    table_name: row.text("table_name"),
    snapshot_id: row.text("snapshot_id"),
    run_id: row.text("run_id"),
    committed_at: row.text("committed_at"),
    rows: row.integer("rows"),
    files: row.integer("files"),
    bytes: row.integer("bytes"),
  }),
);

/** What is published of the date of these tables, by name; tables of which nothing is are absent. */
export async function publishedOfPartition(
  db: D1Database,
  tables: readonly string[],
  date: string,
): Promise<PublishedOfPartition[]> {
  return await PUBLISHED.all(
    db
      .prepare(
        `SELECT p.table_name, p.snapshot_id, s.run_id, s.committed_at, s.rows,
              (SELECT count(*) FROM snapshot_files f WHERE f.snapshot_id = p.snapshot_id) AS files,
              (SELECT coalesce(sum(f.bytes), 0) FROM snapshot_files f WHERE f.snapshot_id = p.snapshot_id) AS bytes
       FROM json_each(?1) t CROSS JOIN published p ON p.table_name = t.value AND p.partition_date = ?2
       JOIN snapshots s USING (snapshot_id) ORDER BY p.table_name`,
      )
      .bind(JSON.stringify(tables), date),
  );
}
