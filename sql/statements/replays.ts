/** Partitions that an operator has built again. */

export interface ReplayPartition {
  readonly date: string;
  readonly files: number;
  readonly rows: number;
  /** null: it was never planned. */
  readonly status: string | null;
  /** 1: its bronze is retired, it cannot be built again. */
  readonly sealed: number;
}

export interface ReplayRange {
  /** Received in [from, to): ISO 8601 UTC without the Z, so that every precision of the stored times compares right. */
  readonly from: string;
  readonly to: string;
  /** Dates in [fromDate, toDate]. */
  readonly fromDate: string;
  readonly toDate: string;
}

/**
 * Partitions of a topic that hold events received in the range, as far as their files tell, or whose date lies in it; at most
 * `limit`, by date. Reads the topic's rows of files.
 */
export async function replayPartitions(
  db: D1Database,
  topic: string,
  range: ReplayRange,
  limit: number,
): Promise<ReplayPartition[]> {
  const { results } = await db
    .prepare(
      `SELECT d.partition_date AS date, count(*) AS files, sum(d.rows) AS rows, m.status,
              EXISTS (SELECT 1 FROM sealed_partitions s WHERE s.topic = ?1 AND s.partition_date = d.partition_date) AS sealed
       FROM bronze_file_dates d JOIN bronze_files f USING (file)
       LEFT JOIN partition_meta m ON m.domain = ?1 AND m.partition_date = d.partition_date
       WHERE d.topic = ?1 AND NOT EXISTS (SELECT 1 FROM compactions WHERE file = d.file)
       GROUP BY d.partition_date
       HAVING d.partition_date BETWEEN ?4 AND ?5 OR max(f.max_received >= ?2 AND f.min_received < ?3)
       ORDER BY d.partition_date LIMIT ?6`,
    )
    .bind(topic, range.from, range.to, range.fromDate, range.toDate, limit)
    .all<ReplayPartition>();
  return results;
}

/** Sets partitions to be built again. Those that wait for a build already stay as they are, so that late data counts as such. */
export function requestRebuild(db: D1Database, domain: string, dates: readonly string[]): D1PreparedStatement {
  return db
    .prepare(
      `UPDATE partition_meta SET status = 'PENDING', retry_count = 0, updated_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
       WHERE domain = ?1 AND partition_date IN (SELECT value FROM json_each(?2))
         AND status NOT IN ('PENDING', 'RETRYING', 'LATE', 'REPROCESSING')
         AND NOT EXISTS (SELECT 1 FROM sealed_partitions s WHERE s.topic = ?1 AND s.partition_date = partition_meta.partition_date)`,
    )
    .bind(domain, JSON.stringify(dates));
}
