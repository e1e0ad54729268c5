/** Bronze's rows in D1. Every statement may be repeated: registration retries until it is known to have happened. */

import type { ShardName } from "./shards.ts";

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

/** Registers a file, its dates and its hours of reception: three statements for a batch. */
export function registerBronzeFile(db: D1Database, file: BronzeFile, now: string): D1PreparedStatement[] {
  return [
    db
      .prepare(
        `INSERT INTO bronze_files (file, topic, shard, shard_of, incarnation, seq, rows, bytes, min_received, max_received, registered_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
      )
      .bind(
        file.file,
        file.topic,
        file.shard,
        file.shardOf,
        file.incarnation,
        file.seq,
        file.rows,
        file.bytes,
        file.minReceived,
        file.maxReceived,
        now,
      ),
    db
      .prepare(
        `INSERT INTO bronze_file_dates (topic, partition_date, file, first_row, rows)
         SELECT ?1, value ->> 'date', ?2, value ->> 'firstRow', value ->> 'rows' FROM json_each(?3) WHERE true ON CONFLICT DO NOTHING`,
      )
      .bind(file.topic, file.file, JSON.stringify(file.dates)),
    db
      .prepare(
        `INSERT INTO bronze_file_hours (topic, partition_date, hour, file, rows, registered_at)
         SELECT ?1, value ->> 'date', value ->> 'hour', ?2, value ->> 'rows', ?4 FROM json_each(?3) WHERE true ON CONFLICT DO NOTHING`,
      )
      .bind(file.topic, file.file, JSON.stringify(file.hours ?? hoursByFirstReception(file)), now),
  ];
}

function hoursByFirstReception({ dates, minReceived }: BronzeFile): ReceivedHour[] {
  return dates.map(({ date, rows }) => ({ date, hour: `${minReceived.slice(0, 13)}:00:00Z`, rows }));
}

/**
 * Writes absolute totals of appended events of one shard. A total of a later epoch (`durable-objects/topic-buffer/ledger-store.ts`)
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
       ON CONFLICT DO UPDATE SET events = max(events, excluded.events), published_at = excluded.published_at`,
    )
    .bind(shard.topic, shard.shard, shard.shardOf, shard.incarnation, JSON.stringify(lines));
}
