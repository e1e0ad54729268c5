/** Bronze's rows in D1. Every statement may be repeated: registration retries until it is known to have happened. */

import * as z from "zod";
import { hourTextAt } from "../../schemas/hours.ts";
import { type Backlog, type ShardName, timeOf } from "./shards.ts";

/** A bronze Parquet file as the catalog knows it. `dates` tells which of its rows belong to which partition. */
export interface BronzeFile {
  readonly file: string;
  readonly topic: string;
  readonly shard: number;
  readonly shardOf: number;
  readonly incarnation: string;
  readonly seq: number;
  readonly rows: number;
  readonly bytes: number;
  readonly minReceived: string;
  readonly maxReceived: string;
  readonly dates: readonly { readonly date: string; readonly firstRow: number; readonly rows: number }[];
  /** Rows by date and hour of reception; absent in an outbox from before they were counted. */
  readonly hours?: readonly ReceivedHour[];
  /** JSON pointers of the fields that no schema of the topic has (`unknown-fields.ts`); absent if there are none. */
  readonly unknownFields?: readonly string[];
}

export interface ReceivedHour {
  readonly date: string;
  /** `YYYY-MM-DDTHH:00:00Z`, of reception. */
  readonly hour: string;
  readonly rows: number;
}

/** The form in which a buffer's outbox keeps it, as JSON. */
export const bronzeFileSchema: z.ZodType<BronzeFile> = z.looseObject({
  file: z.string(),
  topic: z.string(),
  shard: z.int(),
  shardOf: z.int(),
  incarnation: z.string(),
  seq: z.int(),
  rows: z.int(),
  bytes: z.int(),
  minReceived: z.string(),
  maxReceived: z.string(),
  dates: z.array(z.object({ date: z.string(), firstRow: z.int(), rows: z.int() })),
  hours: z.array(z.object({ date: z.string(), hour: z.string(), rows: z.int() })).exactOptional(),
  unknownFields: z.array(z.string()).exactOptional(),
});

/** A flush of a shard. Its sequence number grows within the incarnation of its buffer. */
export interface Flush extends ShardName {
  readonly incarnation: string;
  readonly seq: number;
}

/** `registered` of a row of `shards` says that the flush was: `registeredOf` binds ?1 to ?5. */
const IS_REGISTERED = "coalesce(registered ->> ('$.\"' || ?4 || '\"'), -1) >= ?5";
const KNOWN = `EXISTS (SELECT 1 FROM shards WHERE topic = ?1 AND shard = ?2 AND shard_of = ?3 AND ${IS_REGISTERED})`;
const NEXT_NUMBER = "(SELECT coalesce(max(registration), 0) + 1 FROM shards WHERE topic = ?1)";

/**
 * Registers a flush under the next number of its topic: its files with their dates, its rows by hour of reception, and what its buffer
 * has beside it. An hour of a date is one row with the sum of all flushes, for the ledger is compared by hours all day. For one batch,
 * which may be repeated: a flush that `shards` knows changes nothing, even when its rows are gone again.
 * The number is no row of its own, since rows are what a flush costs: it is one more than the highest of the topic's shards, and
 * the last statement turns the shard's.
 */
export function registerFlush(
  db: D1Database,
  flush: Flush,
  files: readonly BronzeFile[],
  backlog: Backlog,
  now: string,
): D1PreparedStatement[] {
  const name = [flush.topic, flush.shard, flush.shardOf, flush.incarnation, flush.seq] as const;
  return [
    ...files.flatMap((file) => [
      db
        .prepare(
          // Before the file itself: a sum would grow again where the file is known, if not its flush.
          `INSERT INTO bronze_file_hours (topic, partition_date, hour, file, rows, registered_at)
           SELECT ?1, value ->> 'date', value ->> 'hour', '', value ->> 'rows', ?8 FROM json_each(?7)
           WHERE NOT ${KNOWN} AND NOT EXISTS (SELECT 1 FROM bronze_files WHERE file = ?6)
           ON CONFLICT DO UPDATE SET rows = rows + excluded.rows, registered_at = max(registered_at, excluded.registered_at)`,
        )
        .bind(...name, file.file, JSON.stringify(file.hours ?? hoursByFirstReception(file)), now),
      db
        .prepare(
          `INSERT INTO bronze_files (topic, shard, shard_of, incarnation, seq, file, rows, bytes, min_received, max_received, registered_at, registration)
           SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ${NEXT_NUMBER} WHERE NOT ${KNOWN} ON CONFLICT DO NOTHING`,
        )
        .bind(...name, file.file, file.rows, file.bytes, file.minReceived, file.maxReceived, now),
      db
        .prepare(
          // By the file's own number: a version before this one may have registered it, and not noted the flush.
          `INSERT INTO bronze_file_dates (topic, partition_date, file, first_row, rows, registration)
           SELECT ?1, value ->> 'date', f.file, value ->> 'firstRow', value ->> 'rows', f.registration
           FROM bronze_files f JOIN json_each(?7) WHERE f.file = ?6 AND NOT ${KNOWN} ON CONFLICT DO NOTHING`,
        )
        .bind(...name, file.file, JSON.stringify(file.dates)),
    ]),
    // Last: the others ask whether the flush is known already.
    db
      .prepare(
        `INSERT INTO shards (topic, shard, shard_of, first_seen, last_flush_at, oldest_unflushed, buffered_rows, buffered_bytes, registration, registered)
         VALUES (?1, ?2, ?3, ?6, ?6, ?7, ?8, ?9, ${NEXT_NUMBER}, json_object(?4, CAST(?5 AS INTEGER)))
         ON CONFLICT DO UPDATE SET last_flush_at = ?6, oldest_unflushed = ?7, buffered_rows = ?8, buffered_bytes = ?9, retired_at = NULL,
           registration = iif(${IS_REGISTERED}, registration, excluded.registration),
           registered = iif(${IS_REGISTERED}, registered, json_set(registered, '$."' || ?4 || '"', CAST(?5 AS INTEGER)))`,
      )
      .bind(...name, now, timeOf(backlog.oldestAt), backlog.rows, backlog.bytes),
  ];
}

function hoursByFirstReception({ dates, minReceived }: BronzeFile): ReceivedHour[] {
  return dates.map(({ date, rows }) => ({ date, hour: hourTextAt(Date.parse(minReceived)), rows }));
}

/**
 * Writes absolute totals of appended events of one shard; one that is not larger than what is known writes no row. A total of a
 * later epoch (`durable-objects/topic-buffer/ledger-store.ts`)
 * stands beside the earlier ones of its hour, as that of another incarnation would.
 */
export function publishLedger(
  db: D1Database,
  shard: ShardName & { readonly incarnation: string },
  lines: readonly {
    readonly hour: string;
    readonly detail: string;
    readonly events: number;
    readonly epoch?: number;
  }[],
): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO ledger (topic, shard, shard_of, incarnation, hour, detail, events, published_at)
       SELECT ?1, ?2, ?3, ?4 || iif(coalesce(value ->> 'epoch', 0) = 0, '', '+' || (value ->> 'epoch')),
              value ->> 'hour', value ->> 'detail', value ->> 'events', strftime('%Y-%m-%dT%H:%M:%fZ', 'now') FROM json_each(?5) WHERE true
       ON CONFLICT DO UPDATE SET events = excluded.events, published_at = excluded.published_at WHERE excluded.events > events`,
    )
    .bind(shard.topic, shard.shard, shard.shardOf, shard.incarnation, JSON.stringify(lines));
}
