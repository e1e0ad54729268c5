/** The generations of tables: which one each is of, and which of its partitions are of an older one. Times are ISO 8601 UTC. */
import { rowsOf } from "../rows/row.ts";
import { cancelDomains } from "./backfills.ts";

const REMEDY = "delete the row: the next deploy takes what is published for its generation";
const NOW = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')";

/** `content` of a table that the newest deploy has not. */
export const GONE = "";

export interface TableGeneration {
  readonly table_name: string;
  readonly generation: string;
  /** Or `GONE`. */
  readonly content: string;
  /** JSON. */
  readonly meaning: string;
  readonly released_at: string;
  readonly since: string;
  readonly walking: boolean;
  readonly shown_version: number | null;
  readonly backfill_id: string | null;
}

const GENERATIONS = rowsOf(
  { table: "table_generations", key: ["table_name"], remedy: REMEDY },
  (row): TableGeneration => ({
    table_name: row.text("table_name"),
    generation: row.text("generation"),
    content: row.text("content"),
    meaning: row.text("meaning"),
    released_at: row.time("released_at"),
    since: row.time("since"),
    walking: row.flag("walking"),
    shown_version: row.integerOrNull("shown_version"),
    backfill_id: row.textOrNull("backfill_id"),
  }),
);

/** A row a table, by name. */
export async function tableGenerations(db: D1Database): Promise<TableGeneration[]> {
  return await GENERATIONS.all(db.prepare("SELECT * FROM table_generations ORDER BY table_name"));
}

/** Of these tables those that have one. */
export async function generationsOf(db: D1Database, tables: readonly string[]): Promise<TableGeneration[]> {
  return await GENERATIONS.all(
    db
      .prepare("SELECT g.* FROM json_each(?) t CROSS JOIN table_generations g ON g.table_name = t.value")
      .bind(JSON.stringify(tables)),
  );
}

/** What a deploy says of a table. */
export interface SaidGeneration {
  readonly table: string;
  readonly domain: string;
  readonly generation: string;
  readonly content: string;
  readonly meaning: string;
  /** Partitions may have to be built. */
  readonly walks: boolean;
  /** Readers are given the table as it is now until that is done. */
  readonly holds: boolean;
  /** True if published dates lose their generation: nothing keeps them up to date any more, so no later deploy may take them for its own. */
  readonly forgets: boolean;
}

/**
 * Writes what a deploy says, unless a newer one said something else before. What is published of a table without a row is taken to be of
 * its generation. Partitions that failed for their data, or used up their retries, are tried again. One batch; may be done again and by several at once.
 */
export async function recordGenerations(
  db: D1Database,
  releasedAt: string,
  said: readonly SaidGeneration[],
): Promise<void> {
  const list = JSON.stringify(said);
  await db.batch([
    db
      .prepare(
        `UPDATE versions SET generation = s.value ->> 'generation' FROM json_each(?1) s
         WHERE versions.table_name = s.value ->> 'table' AND versions.generation IS NULL
           AND NOT EXISTS (SELECT 1 FROM table_generations g WHERE g.table_name = s.value ->> 'table')`,
      )
      .bind(list),
    // A row that is new has nothing that failed by another deploy.
    db
      .prepare(
        `UPDATE partition_meta SET status = 'PENDING', updated_at = ${NOW} WHERE status IN ('FAILED', 'DEAD') AND status <> 'DONE'
           AND EXISTS (SELECT 1 FROM json_each(?1) s JOIN table_generations g ON g.table_name = s.value ->> 'table'
             WHERE s.value ->> 'domain' = partition_meta.domain AND g.content <> s.value ->> 'content' AND g.released_at <= ?2)
           AND (status = 'DEAD' OR EXISTS (SELECT 1 FROM partition_leases l WHERE l.domain = partition_meta.domain
             AND l.partition_date = partition_meta.partition_date AND l.failure_class = 'data'))`,
      )
      .bind(list, releasedAt),
    db
      .prepare(
        `UPDATE versions SET generation = NULL FROM published p, json_each(?1) s
           JOIN table_generations g ON g.table_name = s.value ->> 'table'
         WHERE versions.table_name = g.table_name AND p.table_name = versions.table_name AND p.version = versions.version
           AND s.value ->> 'forgets' AND g.content <> s.value ->> 'content' AND g.released_at <= ?2`,
      )
      .bind(list, releasedAt),
    db
      .prepare(
        `INSERT INTO table_generations (table_name, generation, content, meaning, released_at, since, walking, shown_version)
         SELECT value ->> 'table', value ->> 'generation', value ->> 'content', value ->> 'meaning', ?2, ${NOW}, value ->> 'walks',
           iif(value ->> 'holds', (SELECT max(version) FROM versions v WHERE v.table_name = value ->> 'table'), NULL)
         FROM json_each(?1) WHERE true
         ON CONFLICT DO UPDATE SET generation = excluded.generation, content = excluded.content, meaning = excluded.meaning,
           released_at = excluded.released_at,
           since = iif(generation = excluded.generation, since, excluded.since),
           walking = max(walking, excluded.walking),
           shown_version = coalesce(shown_version, excluded.shown_version),
           backfill_id = iif(generation = excluded.generation, backfill_id, NULL)
         WHERE content <> excluded.content AND released_at <= excluded.released_at`,
      )
      .bind(list, releasedAt),
  ]);
}

/**
 * Notes the tables that a deploy lacks, unless a newer deploy has them. While a model is gone no commit makes its dates stale, so once it
 * comes back none of them may count as up to date. A topic's dates need no such note: bronze tells of its inputs, whatever is deployed.
 */
export async function recordGone(
  db: D1Database,
  releasedAt: string,
  tables: readonly string[],
  domains: readonly string[],
): Promise<void> {
  const gone = `table_name IN (SELECT value FROM json_each(?1))
    AND (SELECT g.released_at <= ?2 FROM table_generations g WHERE g.table_name = versions.table_name)`;
  const list = JSON.stringify(tables);
  await db.batch([
    db
      .prepare(
        `UPDATE versions SET generation = NULL WHERE ${gone} AND seen IS NULL
           AND (table_name, version) IN (SELECT table_name, version FROM published)`,
      )
      .bind(list, releasedAt),
    db
      .prepare(
        `UPDATE table_generations SET content = '${GONE}', released_at = ?2, walking = 0, backfill_id = NULL
         WHERE table_name IN (SELECT value FROM json_each(?1)) AND released_at <= ?2`,
      )
      .bind(list, releasedAt),
    // A message that nobody can follow would be work of the day that waits for good, and backfills would stand behind it.
    db
      .prepare(
        "UPDATE partition_leases SET queued_at = 0 WHERE domain IN (SELECT value FROM json_each(?)) AND queued_at > 0",
      )
      .bind(JSON.stringify(domains)),
    ...cancelDomains(db, domains),
  ]);
}

/** Why a partition that is of an older generation stays so; `stale`: it is to be built again. */
export type StaleReason = "stale" | "sealed" | "pinned" | "discarded" | "failed";

export interface StaleDate {
  readonly partition_date: string;
  readonly reason: StaleReason;
}

const REASONS = ["stale", "sealed", "pinned", "discarded", "failed"] as const satisfies readonly StaleReason[];
const STALE = rowsOf({ table: "published", key: ["table_name", "partition_date"], remedy: "ask again" }, (row) => ({
  partition_date: row.date("partition_date"),
  reason: row.oneOf("reason", REASONS),
}));

/** The published partitions of a table that are of another generation, the newest first. */
export async function staleDates(
  db: D1Database,
  table: string,
  domain: string,
  generation: string,
): Promise<StaleDate[]> {
  return await STALE.all(
    db
      .prepare(
        `SELECT p.table_name, p.partition_date, CASE
             WHEN EXISTS (SELECT 1 FROM sealed_partitions s WHERE s.topic = ?2 AND s.partition_date = p.partition_date) THEN 'sealed'
             WHEN EXISTS (SELECT 1 FROM pinned_partitions n WHERE n.domain = ?2 AND n.partition_date = p.partition_date) THEN 'pinned'
             WHEN m.status = 'DEAD' OR (m.status = 'FAILED' AND l.failure_class = 'data') THEN 'failed'
             WHEN m.status = 'DONE' AND i.version <> i.built_version AND i.version = l.failed_version THEN 'discarded'
             ELSE 'stale' END AS reason
         FROM published p JOIN versions v USING (table_name, version)
         LEFT JOIN partition_meta m ON m.domain = ?2 AND m.partition_date = p.partition_date
         LEFT JOIN partition_inputs i ON i.domain = ?2 AND i.partition_date = p.partition_date
         LEFT JOIN partition_leases l ON l.domain = ?2 AND l.partition_date = p.partition_date
         WHERE p.table_name = ?1 AND v.generation IS NOT ?3 ORDER BY p.partition_date DESC`,
      )
      .bind(table, domain, generation),
  );
}

/** Some of the dates of an input that a partition reads. */
export interface InputDates {
  readonly table: string;
  readonly from: string;
  readonly to: string;
}

const FOUND = rowsOf({ table: "published", key: [], remedy: "ask again" }, (row) => row.flag("found"));

/** Whether one of these dates is of an older generation, and is to be of the newer one. */
export async function readsStale(db: D1Database, inputs: readonly InputDates[]): Promise<boolean> {
  const found = db
    .prepare(
      `SELECT EXISTS (SELECT 1 FROM json_each(?1) i CROSS JOIN table_generations g ON g.table_name = i.value ->> 'table' AND g.walking = 1
         CROSS JOIN published p ON p.table_name = g.table_name AND p.partition_date BETWEEN i.value ->> 'from' AND i.value ->> 'to'
         CROSS JOIN versions v ON v.table_name = p.table_name AND v.version = p.version
         WHERE v.generation IS NOT g.generation) AS found`,
    )
    .bind(JSON.stringify(inputs));
  return (await FOUND.first(found)) === true;
}

/** Notes the backfill that builds what is stale, if the table is still of that generation. */
export function noteWalk(db: D1Database, table: string, generation: string, backfillId: string): D1PreparedStatement {
  return db
    .prepare("UPDATE table_generations SET backfill_id = ?3 WHERE table_name = ?1 AND generation = ?2")
    .bind(table, generation, backfillId);
}

/** Readers are given the newest version again. Nothing happens once the table is of another generation. */
export async function releaseReaders(db: D1Database, table: string, generation: string): Promise<void> {
  await db
    .prepare("UPDATE table_generations SET shown_version = NULL WHERE table_name = ?1 AND generation = ?2")
    .bind(table, generation)
    .run();
}

/**
 * Once all is built that can be. `whole`: whoever looks things up in the table reads no version from before any more. Nothing happens once
 * the table is of another generation.
 */
export async function endWalk(db: D1Database, table: string, generation: string, whole: boolean): Promise<void> {
  await db.batch([
    db
      .prepare(
        `UPDATE table_generations SET walking = 0,
           whole_since = iif(?3, (SELECT coalesce(max(version), 0) FROM versions WHERE table_name = ?1), whole_since)
         WHERE table_name = ?1 AND generation = ?2`,
      )
      .bind(table, generation, whole ? 1 : 0),
    db
      .prepare(
        `DELETE FROM lookup_pins WHERE table_name = ?1
           AND version < (SELECT whole_since FROM table_generations WHERE table_name = ?1 AND generation = ?2)`,
      )
      .bind(table, generation),
  ]);
}

const COUNTS = rowsOf({ table: "table_generations", key: ["table_name"], remedy: REMEDY }, (row) => ({
  table_name: row.text("table_name"),
  stale: row.integer("stale"),
}));

/** Of tables whose partitions are being built again: how many are of an older generation. Without any it reads a row a table. */
export async function staleCounts(db: D1Database): Promise<ReadonlyMap<string, number>> {
  const rows = await COUNTS.all(
    db.prepare(
      `SELECT g.table_name, (SELECT count(*) FROM published p JOIN versions v USING (table_name, version)
         WHERE p.table_name = g.table_name AND v.generation IS NOT g.generation) AS stale
       FROM table_generations g WHERE g.walking = 1`,
    ),
  );
  return new Map(rows.map(({ table_name, stale }) => [table_name, stale]));
}

/** A table whose partitions are being built again. */
export interface StaleTable {
  readonly table_name: string;
  readonly since: string;
  readonly released_at: string;
  readonly stale: number;
  /** Of these, those that wait for a person. */
  readonly failed: number;
  readonly held: boolean;
  readonly backfill_id: string | null;
  readonly cancelled: boolean;
}

const STALE_TABLES = rowsOf(
  { table: "table_generations", key: ["table_name"], remedy: REMEDY },
  (row): StaleTable => ({
    table_name: row.text("table_name"),
    since: row.time("since"),
    released_at: row.time("released_at"),
    stale: row.integer("stale"),
    failed: row.integer("failed"),
    held: row.flag("held"),
    backfill_id: row.textOrNull("backfill_id"),
    cancelled: row.flag("cancelled"),
  }),
);

/** At most `limit`, by name; without any it reads a row a table. */
export async function staleTables(db: D1Database, limit: number): Promise<StaleTable[]> {
  return await STALE_TABLES.all(
    db
      .prepare(
        `SELECT g.table_name, g.since, g.released_at, g.shown_version IS NOT NULL AS held, g.backfill_id,
           count(*) AS stale, coalesce(sum(m.status = 'DEAD' OR (m.status = 'FAILED' AND l.failure_class = 'data')), 0) AS failed,
           EXISTS (SELECT 1 FROM backfills b WHERE b.backfill_id = g.backfill_id AND b.cancelled_at IS NOT NULL) AS cancelled
         FROM table_generations g
         JOIN published p ON p.table_name = g.table_name
         JOIN versions v ON v.table_name = p.table_name AND v.version = p.version
         LEFT JOIN partition_meta m ON m.partition_date = p.partition_date
           AND (m.domain = g.table_name OR 'silver_' || m.domain = g.table_name)
         LEFT JOIN partition_leases l ON l.domain = m.domain AND l.partition_date = m.partition_date
         WHERE g.walking = 1 AND v.generation IS NOT g.generation
         GROUP BY g.table_name ORDER BY g.table_name LIMIT ?`,
      )
      .bind(limit),
  );
}

const KNOWN = rowsOf({ table: "partition_inputs", key: ["partition_date"], remedy: "ask again" }, (row) =>
  row.text("partition_date"),
);

/** The dates of a domain that the planner knows, or will. */
export async function knownDates(db: D1Database, domain: string): Promise<ReadonlySet<string>> {
  return new Set(
    await KNOWN.all(
      db
        .prepare(
          `SELECT partition_date FROM partition_inputs WHERE domain = ?1
           UNION SELECT partition_date FROM partition_meta WHERE domain = ?1`,
        )
        .bind(domain),
    ),
  );
}
