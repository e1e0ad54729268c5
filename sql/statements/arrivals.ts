/** Which numbered messages arrived, in D1: a row per shard and hour. */
import type { NumberRange } from "../../schemas/number-ranges.ts";
import type { ShardName } from "./bronze.ts";

export interface ArrivalLine {
  /** `YYYY-MM-DDTHH:00:00Z`, in which the gateways made the messages. */
  readonly hour: string;
  readonly messages: number;
  readonly unnumbered: number;
  /** JSON: `{"<gateway instance>": [messages, first number, last number, [[first, last], ...]]}`, the ranges of numbers not sent where there are any. */
  readonly instances: string;
}

/** Writes what a shard knows of some hours, in place of what it said before. */
export function publishArrivals(
  db: D1Database,
  shard: ShardName & { readonly incarnation: string },
  lines: readonly ArrivalLine[],
): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO ledger_arrivals (topic, shard, shard_of, incarnation, hour, messages, unnumbered, instances)
       SELECT ?1, ?2, ?3, ?4, value ->> 'hour', value ->> 'messages', value ->> 'unnumbered', value ->> 'instances' FROM json_each(?5) WHERE true
       ON CONFLICT DO UPDATE SET messages = excluded.messages, unnumbered = excluded.unnumbered, instances = excluded.instances
       WHERE excluded.messages >= messages`,
    )
    .bind(shard.topic, shard.shard, shard.shardOf, shard.incarnation, JSON.stringify(lines));
}

/** What an instance's messages of one hour were, over all shards. */
export interface InstanceHour {
  readonly topic: string;
  readonly instance: string;
  readonly hour: string;
  readonly messages: number;
  readonly first: number;
  readonly last: number;
  /** Numbers that the gateway failed to send, as messages of this hour say. */
  readonly unsent: readonly NumberRange[];
}

/** Arrivals made in `[from, to)`, hours as in `ArrivalLine`, of one topic or (null) of all; by topic, instance and hour. */
export async function arrivalsBetween(
  db: D1Database,
  topic: string | null,
  from: string,
  to: string,
): Promise<InstanceHour[]> {
  const { results } = await db
    .prepare(
      `SELECT a.topic, i.key AS instance, a.hour, sum(i.value ->> 0) AS messages, min(i.value ->> 1) AS first, max(i.value ->> 2) AS last,
              json_group_array(json(i.value -> 3)) FILTER (WHERE i.value -> 3 IS NOT NULL) AS unsent
         FROM ledger_arrivals a, json_each(a.instances) i
        WHERE a.hour >= ?1 AND a.hour < ?2 AND (?3 IS NULL OR a.topic = ?3)
        GROUP BY a.topic, i.key, a.hour ORDER BY a.topic, i.key, a.hour`,
    )
    .bind(from, to, topic)
    .all<Omit<InstanceHour, "unsent"> & { readonly unsent: string }>();
  return results.map(({ unsent, ...line }) => {
    const told: NumberRange[][] = JSON.parse(unsent);
    return { ...line, unsent: told.flat() };
  });
}

/** Drops what arrived in hours before this one. */
export async function forgetArrivals(db: D1Database, before: string): Promise<void> {
  await db.prepare("DELETE FROM ledger_arrivals WHERE hour < ?").bind(before).run();
}
