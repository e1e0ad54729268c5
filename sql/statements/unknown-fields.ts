/** Fields that events brought and their topic's schemas do not have: a bounded memory of those seen, and of those announced. */
import { rowsOf } from "../rows/row.ts";

/** Names remembered of a topic. One that uses field names as data would bring new ones for ever. */
export const MAX_UNKNOWN_FIELDS = 200;

/** Remembers the fields of a flush: nothing if there are none. A field that is known is written once a day. `now` is ISO 8601 UTC. */
export function noteUnknownFields(
  db: D1Database,
  topic: string,
  pointers: readonly string[],
  now: string,
): D1PreparedStatement[] {
  if (pointers.length === 0) return [];
  return [
    db
      .prepare(
        `INSERT INTO unknown_fields (topic, pointer, first_seen, last_seen)
         SELECT ?1, value, ?3, substr(?3, 1, 10) FROM json_each(?2)
          WHERE (SELECT count(*) FROM unknown_fields WHERE topic = ?1) < ?4
             OR EXISTS (SELECT 1 FROM unknown_fields WHERE topic = ?1 AND pointer = value)
         ON CONFLICT DO UPDATE SET last_seen = excluded.last_seen WHERE last_seen < excluded.last_seen`,
      )
      .bind(topic, JSON.stringify(pointers), now, MAX_UNKNOWN_FIELDS),
  ];
}

export interface UnknownField {
  readonly topic: string;
  /** A JSON pointer, `*` for the items of an array; "/" for the sealed ones of a topic with masked fields. */
  readonly pointer: string;
  readonly first_seen: string;
  /** YYYY-MM-DD. */
  readonly last_seen: string;
}

const FIELDS = rowsOf(
  {
    table: "unknown_fields",
    key: ["topic", "pointer"],
    remedy: "delete the row: the field is noted again with its next event",
  },
  (row): UnknownField => ({
    topic: row.text("topic"),
    pointer: row.text("pointer"),
    first_seen: row.text("first_seen"),
    last_seen: row.text("last_seen"),
  }),
);

/** Those of a topic, in the order in which they were seen first. */
export async function unknownFieldsOf(db: D1Database, topic: string): Promise<UnknownField[]> {
  return await FIELDS.all(
    db
      .prepare(
        "SELECT topic, pointer, first_seen, last_seen FROM unknown_fields WHERE topic = ? ORDER BY first_seen, pointer",
      )
      .bind(topic),
  );
}

/** Those that were not announced. Reads no others. */
export async function unannouncedFields(db: D1Database, limit: number): Promise<UnknownField[]> {
  return await FIELDS.all(
    db
      .prepare(
        `SELECT topic, pointer, first_seen, last_seen FROM unknown_fields INDEXED BY unknown_fields_unannounced
        WHERE announced_at IS NULL ORDER BY topic LIMIT ?`,
      )
      .bind(limit),
  );
}

/** Marks fields as announced, and forgets those that no event brought since `before` (YYYY-MM-DD). */
export function recordAnnouncedFields(
  db: D1Database,
  fields: readonly Pick<UnknownField, "topic" | "pointer">[],
  now: string,
  before: string,
): D1PreparedStatement[] {
  return [
    db
      .prepare(
        `UPDATE unknown_fields SET announced_at = ?2
          WHERE (topic, pointer) IN (SELECT value ->> 'topic', value ->> 'pointer' FROM json_each(?1))`,
      )
      .bind(JSON.stringify(fields), now),
    db.prepare("DELETE FROM unknown_fields WHERE last_seen < ?").bind(before),
  ];
}

/** Forgets those of topics that were released anew: what is still unknown is then seen, and announced, again. */
export function forgetUnknownFields(db: D1Database, topics: readonly string[]): D1PreparedStatement {
  return db
    .prepare("DELETE FROM unknown_fields WHERE topic IN (SELECT value FROM json_each(?))")
    .bind(JSON.stringify(topics));
}
