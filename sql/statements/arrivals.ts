/** Which numbered messages arrived, in D1: a row per shard and hour. */
import * as z from "zod";
import type { NumberRange } from "../../schemas/number-ranges.ts";
import { rowsOf } from "../rows/row.ts";
import { hoursBetween } from "./ledger-balance.ts";
import type { ShardName } from "./shards.ts";

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
       WHERE excluded.messages > messages`,
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

const unsentNumbers: z.ZodType<readonly (readonly NumberRange[])[]> = z.array(z.array(z.tuple([z.int(), z.int()])));

const INSTANCE_HOURS = rowsOf(
  {
    table: "ledger_arrivals",
    key: ["topic", "hour", "instance"],
    remedy: "delete the hour's rows: their buffers tell them again with their next flush",
  },
  (row): InstanceHour => ({
    topic: row.text("topic"),
    instance: row.text("instance"),
    hour: row.time("hour"),
    messages: row.integer("messages"),
    first: row.integer("first"),
    last: row.integer("last"),
    unsent: row.json("unsent", unsentNumbers).flat(),
  }),
);

/** SQLite's JSON functions fail on no row: one that somebody edited is an instance whose name says where it stands, and cannot be read. */
const READABLE = `iif(json_valid(a.instances), a.instances,
  json_object('of shard ' || a.shard || ' of ' || a.shard_of || ', whose column instances is no JSON', json_array()))`;

/** Arrivals of these topics made in `[from, to)`, hours as in `ArrivalLine`; by topic, instance and hour. Reads no others. */
export async function arrivalsBetween(
  db: D1Database,
  topics: readonly string[],
  from: string,
  to: string,
): Promise<InstanceHour[]> {
  return await INSTANCE_HOURS.all(
    db
      .prepare(
        `SELECT a.topic, i.key AS instance, a.hour, sum(i.value ->> 0) AS messages, min(i.value ->> 1) AS first, max(i.value ->> 2) AS last,
              json_group_array(json(i.value -> 3)) FILTER (WHERE i.value -> 3 IS NOT NULL) AS unsent
         FROM json_each(?1) AS h CROSS JOIN json_each(?2) AS t
         CROSS JOIN ledger_arrivals a ON a.hour = h.value AND a.topic = t.value, json_each(${READABLE}) i
        GROUP BY a.topic, i.key, a.hour ORDER BY a.topic, i.key, a.hour`,
      )
      .bind(JSON.stringify(hoursBetween(from, to)), JSON.stringify(topics)),
  );
}

/** Drops what arrived in hours before this one. */
export async function forgetArrivals(db: D1Database, before: string): Promise<void> {
  await db.prepare("DELETE FROM ledger_arrivals WHERE hour < ?").bind(before).run();
}
