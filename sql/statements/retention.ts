/** Retention of bronze in D1. Objects go by their tombstones (`tombstones.ts`). */
import { rowsOf, textsOf } from "../rows/row.ts";
import { tombstoneColumns } from "./tombstones.ts";

const LIVE_DATES = textsOf({ table: "bronze_file_dates", remedy: "restore it with D1's Time Travel" }, "date");

/** A topic's dates up to and including `lastDate` are past its retention. */
export interface Expiry {
  readonly topic: string;
  readonly lastDate: string;
}

const NOW = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')";
const EXPIRING =
  "SELECT t.object FROM tombstones t JOIN bronze_files b ON b.file = t.object WHERE t.reason = 'retention' AND b.retired_by IS NULL";

/**
 * Retires live bronze files that were registered before `registeredBefore` (ISO 8601), all of whose dates are past retention and
 * built with all that is registered for them; at most `limit`, the oldest first; how many. Seals their partitions. One
 * transaction, and done again it does nothing. Reads each live file and its dates.
 */
export async function retireExpired(
  db: D1Database,
  expiries: readonly Expiry[],
  registeredBefore: string,
  limit: number,
): Promise<number> {
  const [tombstoned] = await db.batch([
    db
      .prepare(
        `INSERT INTO tombstones (object, reason, tombstoned_at, delete_after)
         SELECT ${tombstoneColumns("f.file", "'retention'")}
         FROM bronze_files f JOIN json_each(?1) e ON e.value ->> 'topic' = f.topic
         WHERE f.retired_by IS NULL AND f.registered_at < ?2
           -- Of a file that dates share, D1 may have given up younger dates: none begins after its registration.
           AND (f.file NOT LIKE 'bronze_mixed/%' OR substr(f.registered_at, 1, 10) <= e.value ->> 'lastDate')
           AND EXISTS (SELECT 1 FROM bronze_file_dates d WHERE d.file = f.file)
           AND NOT EXISTS (
             SELECT 1 FROM bronze_file_dates d LEFT JOIN partition_inputs i ON i.domain = d.topic AND i.partition_date = d.partition_date
             WHERE d.file = f.file AND (d.partition_date > e.value ->> 'lastDate' OR i.built_version IS NOT i.version))
         ORDER BY f.registered_at, f.file LIMIT ?3 ON CONFLICT DO NOTHING RETURNING 1`,
      )
      .bind(JSON.stringify(expiries), registeredBefore, limit),
    db.prepare(
      `INSERT INTO sealed_partitions (topic, partition_date, sealed_at)
       SELECT DISTINCT d.topic, d.partition_date, ${NOW} FROM bronze_file_dates d WHERE d.file IN (${EXPIRING}) ON CONFLICT DO NOTHING`,
    ),
    db.prepare(`UPDATE bronze_files SET retired_by = 'retention' WHERE retired_by IS NULL AND file IN (${EXPIRING})`),
  ]);
  return tombstoned?.results.length ?? 0;
}

const RETIRED = rowsOf({ table: "bronze_files", key: [], remedy: "ask again" }, (row) => row.flag("retired"));

/** Whether retention let go of one of these files (R2 keys), as far as D1 lists them. */
export async function anyRetired(db: D1Database, files: readonly string[]): Promise<boolean> {
  const retired = db
    .prepare(
      `SELECT EXISTS (SELECT 1 FROM json_each(?) k CROSS JOIN bronze_files f ON f.file = k.value
         WHERE f.retired_by = 'retention') AS retired`,
    )
    .bind(JSON.stringify(files));
  return (await RETIRED.first(retired)) === true;
}

/** Those of the dates that have bronze which is not retired. */
export async function datesWithLiveBronze(
  db: D1Database,
  topic: string,
  dates: readonly string[],
): Promise<ReadonlySet<string>> {
  return new Set(
    await LIVE_DATES.all(
      db
        .prepare(
          `SELECT value AS date FROM json_each(?2) WHERE EXISTS (
         SELECT 1 FROM bronze_file_dates d JOIN bronze_files f USING (file)
         WHERE d.topic = ?1 AND d.partition_date = value AND f.retired_by IS NULL)
           OR EXISTS (SELECT 1 FROM bronze_manifests m WHERE m.topic = ?1 AND m.partition_date = value AND m.live_files > 0)`,
        )
        .bind(topic, JSON.stringify(dates)),
    ),
  );
}
