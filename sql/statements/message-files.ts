/** Which bronze files may hold a message's rows. */
import { rowsOf } from "../rows/row.ts";

export interface MessageFile {
  /** R2 key. */
  readonly file: string;
  readonly bytes: number;
  readonly shard: number;
  readonly shard_of: number;
  readonly retired_by: string | null;
}

const FILES = rowsOf(
  { table: "bronze_files", key: ["file"], remedy: "restore it with D1's Time Travel" },
  (row): MessageFile => ({
    file: row.text("file"),
    bytes: row.count("bytes"),
    shard: row.integer("shard"),
    shard_of: row.integer("shard_of"),
    retired_by: row.textOrNull("retired_by"),
  }),
);

/**
 * Every file ever registered for a topic whose times of reception include this one (ISO 8601 UTC); to the second, since texts of
 * different precision do not compare as times do. Reads the rows registered from an hour before it on.
 */
export async function filesReceivedAt(db: D1Database, topic: string, received: string): Promise<MessageFile[]> {
  const since = new Date(Date.parse(received) - 3_600_000).toISOString();
  return await FILES.all(
    db
      .prepare(
        `SELECT file, bytes, shard, shard_of, retired_by FROM bronze_files
        WHERE topic = ?1 AND registered_at >= ?2 AND substr(min_received, 1, 19) <= ?3 AND substr(max_received, 1, 19) >= ?3
        ORDER BY file`,
      )
      .bind(topic, since, received.slice(0, 19)),
  );
}
