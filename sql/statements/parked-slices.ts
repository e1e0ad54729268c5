/** Slices that flushes set aside: whole in R2, counted here. */
import { rowsOf, textsOf } from "../rows/row.ts";
import type { ShardName } from "./shards.ts";

const KEYS = textsOf(
  { table: "parked_slices", remedy: "delete the row: its slice then stays in R2 and is not sent on" },
  "key",
);

/** A frame (`schemas/packed-block.ts`) that could not be written, and why. */
export interface ParkedSlice {
  readonly messageId: string;
  /** YYYY-MM-DDTHH:00:00Z, of reception. */
  readonly hour: string;
  /** As its header says, and as the ledger counted them. */
  readonly events: number;
  /** `data`: its bytes are wrong; `system`: our fault, the bytes are fine. */
  readonly cause: "data" | "system";
  /** No values of events. */
  readonly detail: string;
  /** Of the frame. */
  readonly bytes: number;
}

/** Where a parked slice stands in R2. */
export function parkedSliceKey(shard: ShardName, slice: Pick<ParkedSlice, "messageId">): string {
  return `parked/slices/${shard.topic}/${slice.messageId}-${shard.shard}-${shard.shardOf}`;
}

/** Registers slices that stand in R2; a row each, once. */
export function registerParkedSlice(
  db: D1Database,
  shard: ShardName,
  slice: ParkedSlice,
  now: string,
): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO parked_slices (key, topic, shard, shard_of, message_id, hour, events, bytes, cause, detail, parked_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
    )
    .bind(
      parkedSliceKey(shard, slice),
      shard.topic,
      shard.shard,
      shard.shardOf,
      slice.messageId,
      slice.hour,
      slice.events,
      slice.bytes,
      slice.cause,
      slice.detail,
      now,
    );
}

const REDRIVES = rowsOf(
  {
    table: "parked_slices",
    key: ["key"],
    remedy: "delete the row: its slice then stays in R2 and is not sent on",
  },
  (row) => ({ redriven_at: row.timeOrNull("redriven_at") }),
);

/** When a slice was sent on, ISO 8601 UTC, null if it was not; undefined if its flush has not registered it (yet). */
export async function slicesRedrive(db: D1Database, key: string): Promise<string | null | undefined> {
  const slice = db.prepare("SELECT key, redriven_at FROM parked_slices WHERE key = ?").bind(key);
  return (await REDRIVES.first(slice))?.redriven_at;
}

/** Notes that a slice was sent on; its first time stays. */
export function markSliceRedriven(db: D1Database, key: string): D1PreparedStatement {
  return db
    .prepare(
      `UPDATE parked_slices SET redriven_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now') WHERE key = ? AND redriven_at IS NULL`,
    )
    .bind(key);
}

/** Those of the keys that were ever registered. */
export async function registeredSlices(db: D1Database, keys: readonly string[]): Promise<ReadonlySet<string>> {
  if (keys.length === 0) return new Set();
  return new Set(
    await KEYS.all(
      db
        .prepare("SELECT key FROM parked_slices WHERE key IN (SELECT value FROM json_each(?))")
        .bind(JSON.stringify(keys)),
    ),
  );
}

/** The keys in R2 of slices that wait to be re-driven, the last parked first: of these topics, in the shard by shard count if it is given. */
export async function waitingSlices(
  db: D1Database,
  where: readonly { readonly topic: string; readonly shards: Readonly<Record<string, number>> | null }[],
  limit: number,
): Promise<string[]> {
  return await KEYS.all(
    db
      .prepare(
        `SELECT p.key FROM json_each(?1) t JOIN parked_slices p ON p.topic = t.value ->> 'topic' AND p.redriven_at IS NULL
        WHERE t.value ->> 'shards' IS NULL OR t.value -> 'shards' ->> CAST(p.shard_of AS TEXT) = p.shard
        ORDER BY p.parked_at DESC, p.key LIMIT ?2`,
      )
      .bind(JSON.stringify(where), limit),
  );
}

/** What waits to be re-driven, by topic and cause. */
export interface ParkedTotal {
  readonly topic: string;
  readonly cause: "data" | "system";
  readonly slices: number;
  readonly events: number;
  /** ISO 8601 UTC. */
  readonly oldest: string;
  /** One of the keys in R2. */
  readonly key: string;
}

const TOTALS = rowsOf(
  {
    table: "parked_slices",
    key: ["topic", "cause"],
    remedy: "delete the row: its slice then stays in R2 and is not sent on",
  },
  (row): ParkedTotal => ({
    topic: row.text("topic"),
    cause: row.oneOf("cause", ["data", "system"]),
    slices: row.integer("slices"),
    events: row.integer("events"),
    oldest: row.time("oldest"),
    key: row.text("key"),
  }),
);

export async function parkedTotals(db: D1Database): Promise<ParkedTotal[]> {
  return await TOTALS.all(
    db.prepare(
      `SELECT topic, cause, count(*) AS slices, sum(events) AS events, min(parked_at) AS oldest, min(key) AS key
         FROM parked_slices WHERE redriven_at IS NULL GROUP BY topic, cause ORDER BY topic, cause`,
    ),
  );
}
