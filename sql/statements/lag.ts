/** How far a topic has come: what buffers took in, and what of it is readable in bronze. */
import { rowsOf } from "../rows/row.ts";

export interface BronzeSince {
  /** Rows of the live files that hold at least one event received since then; older events in those files count too. */
  readonly rows: number;
  readonly files: number;
  /** ISO 8601 UTC; null if there is no such file. */
  readonly newest_received: string | null;
}

const BRONZE_SINCE = rowsOf(
  { table: "bronze_files", key: [], remedy: "restore it with D1's Time Travel" },
  (row): BronzeSince => ({
    rows: row.count("rows"),
    files: row.count("files"),
    newest_received: row.timeOrNull("newest_received"),
  }),
);

const SHARDS = rowsOf(
  {
    table: "shards",
    key: ["shard", "shard_of"],
    remedy: "delete the row: its buffer lists itself again with its next append",
  },
  (row) => ({ shard: row.integer("shard"), of: row.integer("shard_of") }),
);

const APPENDED = rowsOf({ table: "ledger", key: [], remedy: "let its hours pass" }, (row) => ({
  events: row.integer("events"),
}));

/**
 * Bronze files of a topic with events received at or after `since` (ISO 8601 UTC without its Z, so that every precision of
 * the stored times compares right); dates that were folded count as a whole. Reads only rows of files registered since then, by
 * `bronze_files_by_topic`, and of folded dates.
 */
export async function bronzeSince(db: D1Database, topic: string, since: string): Promise<BronzeSince> {
  const row = await BRONZE_SINCE.first(
    db
      .prepare(
        `SELECT coalesce(sum(rows), 0) AS rows, coalesce(sum(files), 0) AS files, max(max_received) AS newest_received FROM (
           SELECT rows, 1 AS files, max_received FROM bronze_files
            WHERE topic = ?1 AND registered_at >= ?2 AND max_received >= ?2 AND retired_by IS NULL
           UNION ALL
           SELECT live_rows, live_files, max_received FROM bronze_manifests
            WHERE topic = ?1 AND max_registered >= ?2 AND max_received >= ?2 AND live_files > 0)`,
      )
      .bind(topic, since),
  );
  return row ?? { rows: 0, files: 0, newest_received: null };
}

/** The shards of a topic that were ever addressed: whoever asks their buffers sees every event that waits. */
export async function shardsOf(
  db: D1Database,
  topic: string,
): Promise<readonly { readonly shard: number; readonly of: number }[]> {
  const all = db.prepare("SELECT shard, shard_of FROM shards WHERE topic = ? ORDER BY shard_of, shard").bind(topic);
  return await SHARDS.all(all);
}

/** Events of a topic that buffers appended in hours of reception from `hour` (`YYYY-MM-DDTHH:00:00Z`) on, as published with their flushes. */
export async function appendedSince(db: D1Database, topic: string, hour: string): Promise<number> {
  const sum = db.prepare("SELECT coalesce(sum(events), 0) AS events FROM ledger WHERE hour >= ?1 AND topic = ?2");
  return (await APPENDED.first(sum.bind(hour, topic)))?.events ?? 0;
}
