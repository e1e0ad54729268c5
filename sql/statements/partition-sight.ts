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
    files: row.count("files"),
    rows: row.count("rows"),
    sealed: row.flag("sealed"),
  }),
);

export async function bronzeOfPartition(db: D1Database, topic: string, date: string): Promise<BronzeOfPartition> {
  const row = await BRONZE.first(
    db
      .prepare(
        `SELECT count(*) + coalesce((SELECT inputs FROM bronze_manifests WHERE topic = ?1 AND partition_date = ?2), 0) AS files,
              coalesce(sum(d.rows), 0) + coalesce((SELECT rows FROM bronze_manifests WHERE topic = ?1 AND partition_date = ?2), 0) AS rows,
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
  readonly version: number;
}

const PUBLISHED = rowsOf(
  { table: "published", key: ["table_name"], remedy: "build the partition again" },
  (row): PublishedOfPartition => ({ table_name: row.text("table_name"), version: row.integer("version") }),
);

/** Which version of the date of these tables is published, by name; tables of which nothing is are absent. */
export async function publishedOfPartition(
  db: D1Database,
  tables: readonly string[],
  date: string,
): Promise<PublishedOfPartition[]> {
  return await PUBLISHED.all(
    db
      .prepare(
        `SELECT p.table_name, p.version FROM json_each(?1) t CROSS JOIN published p
         ON p.table_name = t.value AND p.partition_date = ?2 ORDER BY p.table_name`,
      )
      .bind(JSON.stringify(tables), date),
  );
}
