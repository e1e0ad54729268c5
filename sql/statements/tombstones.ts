/** Objects of R2 that wait for their deletion. Times are D1's clock. */
import * as z from "zod";
import { textsOf } from "../rows/row.ts";

const OBJECTS = textsOf({ table: "tombstones", remedy: "delete the row: its object then stays" }, "object");

const NOW = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')";
/** How long an object outlives its last reference (PROTOCOLS 4): longer than any build or reader holds a list of files. */
export const TOMBSTONE_HOURS = 24;

/** An SQL list of the columns of `tombstones` for INSERT ... SELECT; the object and the reason are the statement's. */
export function tombstoneColumns(object: string, reason: string): string {
  return `${object}, ${reason}, ${NOW}, strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '+${TOMBSTONE_HOURS} hours')`;
}

/** Keys that one tombstone lists at the most: a row has some hundred kilobytes then, of the two megabytes that D1 takes. */
const LISTED = 1_000;

/** An SQL query of `objects`, the column `object` for tombstones of many keys: `keys` is a query of them, as `key`. */
export function listedObjects(keys: string): string {
  return `SELECT json_group_array(key) AS objects FROM (SELECT key, row_number() OVER (ORDER BY key) - 1 AS n FROM (${keys}))
    GROUP BY n / ${LISTED}`;
}

/** The R2 keys that a tombstone is of: its column `object` has one, or a JSON array where many went together, since each row is billed. */
export function objectsOf(object: string): readonly string[] {
  return object.startsWith("[") ? z.array(z.string()).parse(JSON.parse(object)) : [object];
}

/** How much of the backlog one run takes. */
export interface DueBounds {
  readonly tombstones: number;
  /** Objects of all of them; the first tombstone is taken whatever it lists. */
  readonly objects: number;
}

/**
 * Tombstones whose time is up, as the column `object` has them, the longest overdue first. None that was tombstoned after a build began
 * which still holds its lease: that build may have listed it.
 */
export async function dueTombstones(db: D1Database, { tombstones, objects }: DueBounds): Promise<string[]> {
  return await OBJECTS.all(
    db
      .prepare(
        `SELECT object FROM (
           SELECT object, sum(listed) OVER (ORDER BY delete_after, object ROWS UNBOUNDED PRECEDING) - listed AS before FROM (
             SELECT object, delete_after, iif(substr(object, 1, 1) = '[', json_array_length(object), 1) AS listed FROM tombstones
             WHERE delete_after <= ${NOW} AND tombstoned_at < coalesce((
               SELECT min(coalesce(r.started_at, l.started_at)) FROM partition_meta m
               JOIN partition_leases l USING (domain, partition_date) LEFT JOIN runs r ON r.run_id = l.run_id
               WHERE m.status = 'IN_FLIGHT' AND l.lease_until > CAST(unixepoch('subsec') * 1000 AS INTEGER)), '9999')
             ORDER BY delete_after, object LIMIT ?1))
         WHERE before < ?2`,
      )
      .bind(tombstones, objects),
  );
}

/** Forgets tombstones of objects that are gone, as `dueTombstones` gave them. */
export function forgetTombstones(db: D1Database, objects: readonly string[]): D1PreparedStatement {
  return db
    .prepare("DELETE FROM tombstones WHERE object IN (SELECT value FROM json_each(?))")
    .bind(JSON.stringify(objects));
}
