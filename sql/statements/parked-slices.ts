/** Slices that flushes set aside: whole in R2, counted here. */
import type { ShardName } from "./shards.ts";

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

export async function parkedTotals(db: D1Database): Promise<ParkedTotal[]> {
  const { results } = await db
    .prepare(
      `SELECT topic, cause, count(*) AS slices, sum(events) AS events, min(parked_at) AS oldest, min(key) AS key
         FROM parked_slices WHERE redriven_at IS NULL GROUP BY topic, cause ORDER BY topic, cause`,
    )
    .all<ParkedTotal>();
  return results;
}
