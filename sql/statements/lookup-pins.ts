/** The versions at which closed partitions of models read the tables that they look things up in. */
import { rowsOf } from "../rows/row.ts";
import type { Guard } from "./guard.ts";

export interface LookupPin {
  readonly table: string;
  readonly version: number;
}

const remedy = "delete the row: the partition's next build chooses a version anew";
const PINS = rowsOf({ table: "lookup_pins", key: ["domain", "partition_date", "table_name"], remedy }, (row) => ({
  version: row.integerOrNull("version"),
}));

/** Between these times (ISO 8601 UTC) a version is looked for. */
export interface PinTimes {
  readonly closed: string;
  readonly last: string;
}

/**
 * The version of `table` that a partition reads for good: the one that is noted, else the first that was published after the partition
 * had closed; where none was for long, the last before. Null while that is not known: it is open, or nothing was published since.
 */
export async function pinnedVersion(
  db: D1Database,
  domain: string,
  date: string,
  table: string,
  { closed, last }: PinTimes,
): Promise<number | null> {
  const row = await PINS.first(
    db
      .prepare(
        `WITH whole AS (
           -- A compaction was published when its rows were, as long as that is known.
           SELECT v.version, coalesce(o.committed_at, v.committed_at) AS committed_at
           FROM versions v LEFT JOIN versions o ON o.table_name = v.table_name AND o.version = v.rows_of
           WHERE v.table_name = ?3 AND v.thinned = 0
             AND v.version >= coalesce((SELECT whole_since FROM table_generations WHERE table_name = ?3), 0))
         SELECT CASE WHEN ${NOW} < ?4 THEN NULL ELSE coalesce(
             (SELECT version FROM lookup_pins WHERE domain = ?1 AND partition_date = ?2 AND table_name = ?3),
             (SELECT min(version) FROM whole WHERE committed_at >= ?4 AND committed_at < ?5),
             iif(${NOW} < ?5, NULL, coalesce((SELECT max(version) FROM whole WHERE committed_at < ?4), (SELECT min(version) FROM whole)))) END AS version`,
      )
      .bind(domain, date, table, closed, last),
  );
  return row?.version ?? null;
}

const NOW = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')";

const NOTED = rowsOf(
  { table: "lookup_pins", key: ["table_name"], remedy },
  (row): LookupPin => ({
    table: row.text("table_name"),
    version: row.integer("version"),
  }),
);

/** What a partition reads for good. */
export async function notedPins(db: D1Database, domain: string, date: string): Promise<LookupPin[]> {
  return await NOTED.all(
    db
      .prepare(
        "SELECT table_name, version FROM lookup_pins WHERE domain = ? AND partition_date = ? ORDER BY table_name",
      )
      .bind(domain, date),
  );
}

/** Statements of a commit: its partition reads these from now on. */
export function pinLookups(pins: readonly LookupPin[], { held, prepare }: Guard): D1PreparedStatement[] {
  if (pins.length === 0) return [];
  return [
    prepare(
      `INSERT INTO lookup_pins (domain, partition_date, table_name, version)
       SELECT ?1, ?2, value ->> 'table', value ->> 'version' FROM json_each(?5) WHERE ${held}
       ON CONFLICT DO UPDATE SET version = excluded.version WHERE version <> excluded.version`,
      JSON.stringify(pins),
    ),
  ];
}
