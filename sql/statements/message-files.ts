/** Which bronze files may hold a message's rows. */
import { rowsOf } from "../rows/row.ts";

export interface MessageFile {
  /** R2 key. */
  readonly file: string;
  readonly bytes: number;
  readonly shard: number;
  readonly shard_of: number;
  /** Retention deleted it. */
  readonly retired: boolean;
}

const FILES = rowsOf(
  { table: "bronze_files", key: ["file"], remedy: "restore it with D1's Time Travel" },
  (row): MessageFile => ({
    file: row.text("file"),
    bytes: row.count("bytes"),
    shard: row.integer("shard"),
    shard_of: row.integer("shard_of"),
    retired: row.flag("retired"),
  }),
);

/** From when on a file is registered that has something received at this time (ISO 8601 UTC): clocks may differ by an hour. */
export function registeredFrom(received: string): string {
  return new Date(Date.parse(received) - 3_600_000).toISOString();
}

/**
 * The files in D1 whose times of reception include this one (ISO 8601 UTC), but for those that a compacted file has the rows of; to the
 * second, since texts of different precision do not compare as times do. Reads the rows registered from an hour before it on.
 */
export async function filesReceivedAt(db: D1Database, topic: string, received: string): Promise<MessageFile[]> {
  return await FILES.all(
    db
      .prepare(
        `SELECT file, bytes, shard, shard_of, retired_by IS NOT NULL AS retired FROM bronze_files
        WHERE topic = ?1 AND (retired_by IS NULL OR retired_by = 'retention') AND registered_at >= ?2 AND substr(min_received, 1, 19) <= ?3 AND substr(max_received, 1, 19) >= ?3
        ORDER BY file`,
      )
      .bind(topic, registeredFrom(received), received.slice(0, 19)),
  );
}
