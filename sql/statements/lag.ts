/** How far a topic has come: what buffers took in, and what of it is readable in bronze. */

export interface BronzeSince {
  /** Rows of the live files that hold at least one event received since then; older events in those files count too. */
  readonly rows: number;
  readonly files: number;
  /** ISO 8601 UTC; null if there is no such file. */
  readonly newest_received: string | null;
}

/**
 * Bronze files of a topic with events received at or after `since` (ISO 8601 UTC without its Z, so that every precision of
 * the stored times compares right). Reads only rows of files registered since then, by `bronze_files_by_topic`.
 */
export async function bronzeSince(db: D1Database, topic: string, since: string): Promise<BronzeSince> {
  const row = await db
    .prepare(
      `SELECT coalesce(sum(rows), 0) AS rows, count(*) AS files, max(max_received) AS newest_received
         FROM bronze_files
        WHERE topic = ?1 AND registered_at >= ?2 AND max_received >= ?2 AND retired_by IS NULL`,
    )
    .bind(topic, since)
    .first<BronzeSince>();
  return row ?? { rows: 0, files: 0, newest_received: null };
}

/** The shards of a topic that were ever addressed: whoever asks their buffers sees every event that waits. */
export async function shardsOf(
  db: D1Database,
  topic: string,
): Promise<readonly { readonly shard: number; readonly of: number }[]> {
  const { results } = await db
    .prepare('SELECT shard, shard_of AS "of" FROM shards WHERE topic = ? ORDER BY shard_of, shard')
    .bind(topic)
    .all<{ shard: number; of: number }>();
  return results;
}

/** Events of a topic that buffers appended in hours of reception from `hour` (`YYYY-MM-DDTHH`) on, as published with their flushes. */
export async function appendedSince(db: D1Database, topic: string, hour: string): Promise<number> {
  const events = await db
    .prepare("SELECT coalesce(sum(events), 0) AS events FROM ledger WHERE hour >= ?1 AND topic = ?2")
    .bind(hour, topic)
    .first<number>("events");
  return events ?? 0;
}
