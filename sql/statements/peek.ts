/** Which bronze files to look into for a topic's newest events. */
import { rowsOf } from "../rows/row.ts";

export interface NewestFile {
  /** R2 key. */
  readonly file: string;
  readonly bytes: number;
  /** ISO 8601 UTC. */
  readonly max_received: string;
}

const NEWEST = rowsOf(
  { table: "bronze_files", key: ["file"], remedy: "restore it with D1's Time Travel" },
  (row): NewestFile => ({
    file: row.text("file"),
    bytes: row.count("bytes"),
    max_received: row.time("max_received"),
  }),
);

/** Of the newest files of a topic as many are looked at: compaction and retention may have retired an hour of all shards. */
const LOOKED_AT = 2_000;

/** Live files of a topic, the newest registered first: at most `limit`. */
export async function newestFiles(db: D1Database, topic: string, limit: number): Promise<NewestFile[]> {
  return await NEWEST.all(
    db
      .prepare(
        `SELECT file, bytes, max_received FROM (
         SELECT file, bytes, max_received, retired_by, registered_at FROM bronze_files
         WHERE topic = ?1 ORDER BY registered_at DESC LIMIT ?3)
       WHERE retired_by IS NULL ORDER BY registered_at DESC, file DESC LIMIT ?2`,
      )
      .bind(topic, limit, LOOKED_AT),
  );
}
