/**
 * Versions that are forgotten with time: each of the last hours is kept, of earlier times the last of a partition in an hour, in a day,
 * and at last the one that stood before. A file goes with the last version that has it.
 */
import { listedObjects, tombstoneColumns } from "./tombstones.ts";

/** ISO 8601 UTC texts: from when on every version is kept, one an hour, one a day. */
export interface KeptVersions {
  readonly all: string;
  readonly hourly: string;
  readonly daily: string;
}

/** Tables that this deploy builds, by name: where their files stand. */
export type Directories = Readonly<Record<string, string>>;

/** The stretch of time of which only a partition's last version is kept; null: all are. */
const BUCKET = `CASE WHEN committed_at >= ?1 THEN NULL WHEN committed_at >= ?2 THEN substr(committed_at, 1, 13)
  WHEN committed_at >= ?3 THEN substr(committed_at, 1, 10) ELSE '' END`;

/**
 * Versions that tables are read as of: by readers, while a table's dates are built again (`generations.ts`), and by builds
 * (`lookup-pins.ts`).
 */
const READ = `SELECT table_name, shown_version AS version FROM table_generations WHERE shown_version IS NOT NULL
  UNION SELECT DISTINCT table_name, version FROM lookup_pins`;

/** Of each partition, the last up to a version that is read. */
const SHOWN = `SELECT r.table_name, max(v.version) FROM (${READ}) r
  JOIN versions v ON v.table_name = r.table_name AND v.version <= r.version GROUP BY r.table_name, r.version, v.partition_date`;

const SURPLUS = `SELECT table_name, version, partition_date FROM (
    SELECT *, max(version) OVER (PARTITION BY table_name, partition_date, bucket) AS newest
    FROM (SELECT table_name, version, partition_date, ${BUCKET} AS bucket FROM versions) WHERE bucket IS NOT NULL)
  WHERE version < newest AND (table_name, version) NOT IN (${SHOWN}) ORDER BY table_name, version LIMIT ?4`;

/** An SQL condition: no version of its partition has the row `f` of data_files any more. */
const UNNEEDED = `f.removed IS NOT NULL AND NOT EXISTS (
  SELECT 1 FROM versions v WHERE v.table_name = f.table_name AND v.partition_date = f.partition_date
    AND v.version >= f.added AND v.version < f.removed)`;

/**
 * Forgets at most `limit` surplus versions, and tombstones their manifests and the files that nothing has any more, many by one
 * row (`objectsOf`); how many versions. One transaction, and done again it goes on. Reads every version, and every file that D1 lists.
 */
export async function thinVersions(
  db: D1Database,
  kept: KeptVersions,
  directories: Directories,
  limit: number,
): Promise<number> {
  const bound = (sql: string, ...more: (string | number)[]): D1PreparedStatement =>
    db.prepare(sql).bind(kept.all, kept.hourly, kept.daily, ...more);
  const manifest = "d.value || '/metadata/' || s.partition_date || '-v' || s.version || '.json'";
  const results = await db.batch([
    bound(
      `INSERT INTO tombstones (object, reason, tombstoned_at, delete_after)
       SELECT ${tombstoneColumns("objects", "'superseded'")} FROM (${listedObjects(
         // A closed partition may have its files in the manifest of a version that is forgotten.
         `SELECT ${manifest} AS key FROM (${SURPLUS}) s JOIN json_each(?5) d ON d.key = s.table_name
          WHERE NOT EXISTS (SELECT 1 FROM published p WHERE p.table_name = s.table_name AND p.partition_date = s.partition_date
            AND p.manifest = ${manifest})`,
       )}) WHERE true ON CONFLICT DO NOTHING`,
      limit,
      JSON.stringify(directories),
    ),
    bound(
      `DELETE FROM versions WHERE (table_name, version) IN (SELECT table_name, version FROM (${SURPLUS})) RETURNING 1`,
      limit,
    ),
    // What is left of a stretch of time is the last of each partition: only the last of all tells how the table was.
    bound(
      `UPDATE versions SET thinned = 1 WHERE thinned = 0 AND (table_name, version) IN (
         SELECT table_name, version FROM (
           SELECT table_name, version, bucket, max(version) OVER (PARTITION BY table_name, bucket) AS newest
           FROM (SELECT table_name, version, ${BUCKET} AS bucket FROM versions) WHERE bucket IS NOT NULL)
         WHERE version < newest)
         AND NOT EXISTS (SELECT 1 FROM table_generations g WHERE g.table_name = versions.table_name AND g.shown_version = versions.version)`,
    ),
    db.prepare(
      `INSERT INTO tombstones (object, reason, tombstoned_at, delete_after)
       SELECT ${tombstoneColumns("objects", "'superseded'")} FROM (${listedObjects(
         `SELECT DISTINCT f.file AS key FROM data_files f
          WHERE ${UNNEEDED} AND NOT EXISTS (
            SELECT 1 FROM data_files o WHERE o.table_name = f.table_name AND o.partition_date = f.partition_date AND o.file = f.file
              AND o.again <> f.again AND NOT (${UNNEEDED.replaceAll("f.", "o.")}))`,
       )}) WHERE true ON CONFLICT DO NOTHING`,
    ),
    db.prepare(`DELETE FROM data_files AS f WHERE ${UNNEEDED}`),
  ]);
  return results[1]?.results.length ?? 0;
}
