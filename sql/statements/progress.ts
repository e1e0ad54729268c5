/** How far topics have come: what of them is in bronze, and when silver was published. */
import { rowsOf } from "../rows/row.ts";
import { isDateOf, type PartitionGrain } from "./published-dates.ts";

export interface TopicProgress {
  readonly topic: string;
  readonly table: string;
  /** ISO 8601 UTC, of the newest bronze file; null: it never had one. */
  readonly newest_received: string | null;
  /** When the table's newest partition was last published; null: never. */
  readonly published_at: string | null;
}

/** The rows of `topicProgress`. */
export const TOPIC_PROGRESS = rowsOf(
  { table: "bronze_files", key: ["topic"], remedy: "restore it with D1's Time Travel" },
  (row): TopicProgress => ({
    topic: row.text("topic"),
    table: row.text("table_name"),
    newest_received: row.timeOrNull("newest_received"),
    published_at: row.timeOrNull("published_at"),
  }),
);

export interface AskedProgress {
  readonly topic: string;
  readonly table: string;
  /** Of the table; days if it is not given. */
  readonly grain?: PartitionGrain;
}

/** A `TopicProgress` for each topic and its silver table, or one that is made of it. Two indexed reads of one row a topic; of one that was silent for days, a row of each of its dates. */
export function topicProgress(db: D1Database, topics: readonly AskedProgress[]): D1PreparedStatement {
  return db
    .prepare(
      `SELECT t.value ->> 'topic' AS topic, t.value ->> 'table' AS table_name,
              coalesce((SELECT max_received FROM bronze_files f WHERE f.topic = t.value ->> 'topic' ORDER BY f.registered_at DESC LIMIT 1),
                (SELECT max_received FROM bronze_manifests m WHERE m.topic = t.value ->> 'topic' ORDER BY m.max_registered DESC LIMIT 1)) AS newest_received,
              (SELECT coalesce((SELECT o.committed_at FROM versions o WHERE o.table_name = v.table_name AND o.version = v.rows_of), v.committed_at)
               FROM published p JOIN versions v USING (table_name, version) WHERE p.table_name = t.value ->> 'table'
                 AND ${isDateOf("t.value ->> 'grain'", "p.partition_date")} ORDER BY p.partition_date DESC LIMIT 1) AS published_at
       FROM json_each(?1) t`,
    )
    .bind(JSON.stringify(topics));
}
