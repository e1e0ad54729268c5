/** What one partition stands on: its inputs, and what is published of it. */

export interface BronzeOfPartition {
  /** Files that flushes wrote for it; compacted ones are none. */
  readonly files: number;
  readonly rows: number;
  /** 1: some of its bronze is retired, so that it cannot be built again. */
  readonly sealed: number;
}

export async function bronzeOfPartition(db: D1Database, topic: string, date: string): Promise<BronzeOfPartition> {
  const row = await db
    .prepare(
      `SELECT count(*) AS files, coalesce(sum(d.rows), 0) AS rows,
              EXISTS (SELECT 1 FROM sealed_partitions s WHERE s.topic = ?1 AND s.partition_date = ?2) AS sealed
       FROM bronze_file_dates d
       WHERE d.topic = ?1 AND d.partition_date = ?2 AND NOT EXISTS (SELECT 1 FROM compactions WHERE file = d.file)`,
    )
    .bind(topic, date)
    .first<BronzeOfPartition>();
  return row ?? { files: 0, rows: 0, sealed: 0 };
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

/** What is published of the date of these tables, by name; tables of which nothing is are absent. */
export async function publishedOfPartition(
  db: D1Database,
  tables: readonly string[],
  date: string,
): Promise<PublishedOfPartition[]> {
  const { results } = await db
    .prepare(
      `SELECT p.table_name, p.snapshot_id, s.run_id, s.committed_at, s.rows,
              (SELECT count(*) FROM snapshot_files f WHERE f.snapshot_id = p.snapshot_id) AS files,
              (SELECT coalesce(sum(f.bytes), 0) FROM snapshot_files f WHERE f.snapshot_id = p.snapshot_id) AS bytes
       FROM json_each(?1) t CROSS JOIN published p ON p.table_name = t.value AND p.partition_date = ?2
       JOIN snapshots s USING (snapshot_id) ORDER BY p.table_name`,
    )
    .bind(JSON.stringify(tables), date)
    .all<PublishedOfPartition>();
  return results;
}
