/** What topics took in lately, and how their partitions stand. */

export interface TopicActivity {
  readonly topic: string;
  /** Events that buffers appended, as their last flush told. */
  readonly accepted: number;
  /** Events in the dead letters, by the topic that they were sent to. */
  readonly rejected: number;
}

/** Of events received from `hour` (`YYYY-MM-DDTHH`) on; topics without any are absent. Reads the ledger's rows of those hours. */
export async function topicActivity(db: D1Database, hour: string): Promise<TopicActivity[]> {
  const { results } = await db
    .prepare(
      `WITH terms AS (
         SELECT topic, events AS accepted, 0 AS rejected FROM ledger WHERE hour >= ?1
         UNION ALL
         SELECT substr(detail, 1, instr(detail, '|') - 1), 0, events FROM ledger WHERE hour >= ?1 AND topic = 'dead_letters' AND detail <> '')
       SELECT topic, sum(accepted) AS accepted, sum(rejected) AS rejected FROM terms GROUP BY topic ORDER BY topic`,
    )
    .bind(hour)
    .all<TopicActivity>();
  return results;
}

export interface PartitionCount {
  readonly status: string;
  readonly partitions: number;
  readonly newest: string;
}

/** How many partitions of a table stand at which status. */
export async function partitionsByStatus(db: D1Database, domain: string): Promise<PartitionCount[]> {
  const { results } = await db
    .prepare(
      `SELECT status, count(*) AS partitions, max(partition_date) AS newest FROM partition_meta
       WHERE domain = ? GROUP BY status ORDER BY status`,
    )
    .bind(domain)
    .all<PartitionCount>();
  return results;
}
