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
}

/** Registers a file and its dates: two statements for a batch. */
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
  ];
}

/** Writes absolute totals of appended events of one shard. */
export function publishLedger(
  db: D1Database,
  shard: ShardName & { readonly incarnation: string },
  lines: readonly { readonly hour: string; readonly detail: string; readonly events: number }[],
): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO ledger (topic, shard, shard_of, incarnation, hour, detail, events)
       SELECT ?1, ?2, ?3, ?4, value ->> 'hour', value ->> 'detail', value ->> 'events' FROM json_each(?5) WHERE true
       ON CONFLICT DO UPDATE SET events = max(events, excluded.events)`,
    )
    .bind(shard.topic, shard.shard, shard.shardOf, shard.incarnation, JSON.stringify(lines));
}
