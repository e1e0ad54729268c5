/** Which bronze files to look into for a topic's newest events. */

export interface NewestFile {
  /** R2 key. */
  readonly file: string;
  readonly bytes: number;
  /** ISO 8601 UTC. */
  readonly max_received: string;
}

/** Of the newest files of a topic as many are looked at: compaction and retention may have retired an hour of all shards. */
const LOOKED_AT = 2_000;

/** Live files of a topic, the newest registered first: at most `limit`. */
export async function newestFiles(db: D1Database, topic: string, limit: number): Promise<NewestFile[]> {
  const { results } = await db
    .prepare(
      `SELECT file, bytes, max_received FROM (
         SELECT file, bytes, max_received, retired_by, registered_at FROM bronze_files
         WHERE topic = ?1 ORDER BY registered_at DESC LIMIT ?3)
       WHERE retired_by IS NULL ORDER BY registered_at DESC, file DESC LIMIT ?2`,
    )
    .bind(topic, limit, LOOKED_AT)
    .all<NewestFile>();
  return results;
}
