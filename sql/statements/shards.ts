/** The rows of `shards`: which buffers there are, and what each last said of itself. */
import { rowsOf } from "../rows/row.ts";

export interface ShardName {
  readonly topic: string;
  readonly shard: number;
  readonly shardOf: number;
}

/** What waits in a buffer. */
export interface Backlog {
  readonly rows: number;
  readonly bytes: number;
  /** Milliseconds since the epoch; null: nothing waits. */
  readonly oldestAt: number | null;
}

/** Lists a shard that is about to be appended to for the first time, or for the first time since it was retired. */
export function listShard(db: D1Database, shard: ShardName, now: string): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO shards (topic, shard, shard_of, first_seen, listed_at) VALUES (?1, ?2, ?3, ?4, ?4)
       ON CONFLICT DO UPDATE SET listed_at = excluded.listed_at, retired_at = NULL`,
    )
    .bind(shard.topic, shard.shard, shard.shardOf, now);
}

/** What a buffer answered to a poke. */
export function reportPoke(db: D1Database, shard: ShardName, backlog: Backlog): D1PreparedStatement {
  return db
    .prepare(
      `UPDATE shards SET oldest_unflushed = ?4, buffered_rows = ?5, buffered_bytes = ?6
        WHERE topic = ?1 AND shard = ?2 AND shard_of = ?3`,
    )
    .bind(shard.topic, shard.shard, shard.shardOf, timeOf(backlog.oldestAt), backlog.rows, backlog.bytes);
}

/** Takes a shard off the walk, unless its buffer asked to be listed since the row was read. */
export function retireShard(
  db: D1Database,
  shard: ShardName,
  listedAt: string | null,
  now: string,
): D1PreparedStatement {
  return db
    .prepare(
      "UPDATE shards SET retired_at = ?5 WHERE topic = ?1 AND shard = ?2 AND shard_of = ?3 AND listed_at IS ?4 AND retired_at IS NULL",
    )
    .bind(shard.topic, shard.shard, shard.shardOf, listedAt, now);
}

/** A row of `shards`. Times are ISO 8601 UTC. */
export interface ShardRow {
  readonly topic: string;
  readonly shard: number;
  readonly shard_of: number;
  readonly first_seen: string;
  readonly listed_at: string | null;
  readonly last_flush_at: string | null;
  readonly oldest_unflushed: string | null;
  readonly buffered_rows: number;
  readonly buffered_bytes: number;
}

// Times as they are: the watchdog asks a buffer whose time is none, and its answer corrects the row.
const SHARDS = rowsOf(
  {
    table: "shards",
    key: ["topic", "shard", "shard_of"],
    remedy: "delete the row: its buffer lists itself again with its next append",
  },
  (row): ShardRow => ({
    topic: row.text("topic"),
    shard: row.integer("shard"),
    shard_of: row.integer("shard_of"),
    first_seen: row.text("first_seen"),
    listed_at: row.textOrNull("listed_at"),
    last_flush_at: row.textOrNull("last_flush_at"),
    oldest_unflushed: row.textOrNull("oldest_unflushed"),
    buffered_rows: row.count("buffered_rows"),
    buffered_bytes: row.count("buffered_bytes"),
  }),
);

/** Shards that are walked, a page in the order of their key, after `after`. */
export async function walkShards(db: D1Database, after: ShardName | null, limit: number): Promise<ShardRow[]> {
  return await SHARDS.all(
    db
      .prepare(
        `SELECT topic, shard, shard_of, first_seen, listed_at, last_flush_at, oldest_unflushed, buffered_rows, buffered_bytes
         FROM shards WHERE retired_at IS NULL AND (topic, shard, shard_of) > (?1, ?2, ?3)
        ORDER BY topic, shard, shard_of LIMIT ?4`,
      )
      .bind(after?.topic ?? "", after?.shard ?? 0, after?.shardOf ?? 0, limit),
  );
}

/** Shards that were last seen with something older than their topic's cut-off (ISO 8601 by topic), oldest first. */
export async function overdueShards(
  db: D1Database,
  cutOffs: Readonly<Record<string, string>>,
  limit: number,
): Promise<ShardRow[]> {
  return await SHARDS.all(
    db
      .prepare(
        `SELECT topic, shard, shard_of, first_seen, listed_at, last_flush_at, oldest_unflushed, buffered_rows, buffered_bytes
         FROM shards JOIN json_each(?1) AS cut ON cut.key = topic
        WHERE retired_at IS NULL AND oldest_unflushed < cut.value ORDER BY oldest_unflushed LIMIT ?2`,
      )
      .bind(JSON.stringify(cutOffs), limit),
  );
}

/**
 * Every event that a topic's buffers took in before this time (ISO 8601 UTC) is in bronze that is registered now: a lower bound, by what
 * each buffer last said; null where one said nothing yet, or there is none. Read before the files that it speaks of.
 */
export async function flushedThrough(db: D1Database, topic: string): Promise<string | null> {
  return await THROUGH.first(
    db
      .prepare(
        `SELECT iif(count(*) = count(through), min(through), NULL) AS through
         FROM (SELECT coalesce(oldest_unflushed, last_flush_at) AS through FROM shards WHERE topic = ?1 AND retired_at IS NULL)`,
      )
      .bind(topic),
  );
}

const THROUGH = rowsOf(
  { table: "shards", key: [], remedy: "wait for the buffer's next flush, which writes it" },
  (row) => row.timeOrNull("through"),
);

export function timeOf(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
