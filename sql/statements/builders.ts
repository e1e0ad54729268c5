/** Native builders: processes that ask for work, and when they were last heard from. Times are D1's clock, in milliseconds. */
import { rowsOf } from "../rows/row.ts";

const NOW_MS = "CAST(unixepoch('subsec') * 1000 AS INTEGER)";
/** A builder's row says to a minute when it was heard from: each write is billed, and one that is idle asks all day. */
const SEEN_MS = 60_000;
/** Processes end, and each has an id of its own. */
const FORGET_MS = 86_400_000;

const BUILDERS = {
  table: "builders",
  key: ["id"],
  remedy: "delete the row: a builder that lives writes it anew",
} as const;

export interface KnownBuilder {
  readonly id: string;
  readonly name: string;
  readonly duckdb: string;
  readonly memory_bytes: number;
  readonly threads: number;
}

/** What is known of who asks. */
export interface SeenBuilder {
  /** The run that it is at, if its lease still stands. */
  readonly run: string | null;
  /** Milliseconds since it last got work, or was first seen. */
  readonly idleMs: number;
}

const SEEN = rowsOf(BUILDERS, (row) => ({
  seenAt: row.integer("seen_at"),
  workedAt: row.integer("worked_at"),
  run: row.textOrNull("run_id"),
  now: row.integer("now"),
}));

/** Notes that a builder asked. One that is idle costs the row that is read, and one that is written each minute. */
export async function noteBuilder(db: D1Database, builder: KnownBuilder): Promise<SeenBuilder> {
  const { id, name, duckdb, memory_bytes, threads } = builder;
  const known = await SEEN.first(
    db
      .prepare(
        `SELECT b.id, b.seen_at, b.worked_at, ${NOW_MS} AS now,
           (SELECT r.run_id FROM native_runs r JOIN partition_leases l USING (domain, partition_date)
            WHERE r.run_id = b.run_id AND r.outcome IS NULL AND l.run_id = r.run_id AND l.fence = r.fence) AS run_id
         FROM builders b WHERE b.id = ?`,
      )
      .bind(id),
  );
  if (known !== null && known.seenAt > known.now - SEEN_MS)
    return { run: known.run, idleMs: Math.max(0, known.now - known.workedAt) };
  await db.batch([
    db
      .prepare(
        `INSERT INTO builders (id, name, duckdb, memory_bytes, threads, first_seen, seen_at, worked_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ${NOW_MS}, ${NOW_MS}, ${NOW_MS})
         ON CONFLICT DO UPDATE SET name = excluded.name, duckdb = excluded.duckdb, memory_bytes = excluded.memory_bytes,
           threads = excluded.threads, seen_at = excluded.seen_at`,
      )
      .bind(id, name, duckdb, memory_bytes, threads),
    ...(known === null ? [db.prepare(`DELETE FROM builders WHERE seen_at < ${NOW_MS} - ${FORGET_MS}`)] : []),
  ]);
  return known === null
    ? { run: null, idleMs: 0 }
    : { run: known.run, idleMs: Math.max(0, known.now - known.workedAt) };
}

const HEARD = rowsOf(BUILDERS, (row) => ({
  builders: row.integer("builders"),
  silentMs: row.integerOrNull("silent_ms"),
}));

/** How many builders have a row, and for how long all of them have been silent: null where there is none. */
export async function buildersHeard(
  db: D1Database,
): Promise<{ readonly builders: number; readonly silentMs: number | null }> {
  const heard = await HEARD.first(
    db.prepare(`SELECT '' AS id, count(*) AS builders, ${NOW_MS} - max(seen_at) AS silent_ms FROM builders`),
  );
  return heard ?? { builders: 0, silentMs: null };
}
