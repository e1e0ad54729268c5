/** What topics took in lately, and how their partitions stand. */
import { rowsOf } from "../rows/row.ts";

export interface TopicActivity {
  readonly topic: string;
  /** Events that buffers appended, as their last flush told. */
  readonly accepted: number;
  /** Events in the dead letters, by the topic that they were sent to. */
  readonly rejected: number;
}

const ACTIVITY = rowsOf(
  { table: "ledger", key: ["topic"], remedy: "let its hours pass" },
  (row): TopicActivity => ({
    topic: row.text("topic"),
    accepted: row.integer("accepted"),
    rejected: row.integer("rejected"),
  }),
);

/** Of events received from `hour` (`YYYY-MM-DDTHH:00:00Z`) on; topics without any are absent. Reads the ledger's rows of those hours. */
export async function topicActivity(db: D1Database, hour: string): Promise<TopicActivity[]> {
  return await ACTIVITY.all(
    db
      .prepare(
        `WITH terms AS (
         SELECT topic, events AS accepted, 0 AS rejected FROM ledger WHERE hour >= ?1
         UNION ALL
         SELECT substr(detail, 1, instr(detail, '|') - 1), 0, events FROM ledger WHERE hour >= ?1 AND topic = 'dead_letters' AND detail <> '')
       SELECT topic, sum(accepted) AS accepted, sum(rejected) AS rejected FROM terms GROUP BY topic ORDER BY topic`,
      )
      .bind(hour),
  );
}

export interface PartitionCount {
  readonly status: string;
  readonly partitions: number;
  readonly newest: string;
}

const PARTITION_COUNTS = rowsOf(
  {
    table: "partition_meta",
    key: ["status"],
    remedy: "delete the row: the partition is then built from its beginning",
  },
  (row): PartitionCount => ({
    status: row.text("status"),
    partitions: row.integer("partitions"),
    newest: row.text("newest"),
  }),
);

/** How many partitions of a table stand at which status. */
export async function partitionsByStatus(db: D1Database, domain: string): Promise<PartitionCount[]> {
  return await PARTITION_COUNTS.all(
    db
      .prepare(
        `SELECT status, count(*) AS partitions, max(partition_date) AS newest FROM partition_meta
       WHERE domain = ? GROUP BY status ORDER BY status`,
      )
      .bind(domain),
  );
}
