/** Which bronze files to look into for a topic's newest events. */

export interface NewestFile {
  /** R2 key. */
  readonly file: string;
  readonly bytes: number;
  /** ISO 8601 UTC. */
  readonly max_received: string;
}

/**
 * Live files of a topic, the newest registered first: at most `limit`. Reads as many rows of `bronze_files_by_topic`, and those
 * of retired files among them.
 */
export async function newestFiles(db: D1Database, topic: string, limit: number): Promise<NewestFile[]> {
  const { results } = await db
    .prepare(
      `SELECT file, bytes, max_received FROM bronze_files
       WHERE topic = ?1 AND retired_by IS NULL ORDER BY registered_at DESC, file DESC LIMIT ?2`,
    )
    .bind(topic, limit)
    .all<NewestFile>();
  return results;
}
