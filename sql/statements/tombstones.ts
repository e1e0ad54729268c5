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

/** The R2 keys that a tombstone is of: its column `object` has one, or a JSON array where many went together, since each row is billed. */
export function objectsOf(object: string): readonly string[] {
  return object.startsWith("[") ? z.array(z.string()).parse(JSON.parse(object)) : [object];
}

/**
 * Tombstones whose time is up, as the column `object` has them, the longest overdue first. None that was tombstoned after a build began which still holds its
 * lease: that build may have listed it.
 */
export async function dueTombstones(db: D1Database, limit: number): Promise<string[]> {
  return await OBJECTS.all(
    db
      .prepare(
        `SELECT object FROM tombstones
       WHERE delete_after <= ${NOW} AND tombstoned_at < coalesce((
         SELECT min(coalesce(r.started_at, l.started_at)) FROM partition_meta m
         JOIN partition_leases l USING (domain, partition_date) LEFT JOIN runs r ON r.run_id = l.run_id
         WHERE m.status = 'IN_FLIGHT' AND l.lease_until > CAST(unixepoch('subsec') * 1000 AS INTEGER)), '9999')
       ORDER BY delete_after, object LIMIT ?`,
      )
      .bind(limit),
  );
}

/** Forgets tombstones of objects that are gone, as `dueTombstones` gave them. */
export function forgetTombstones(db: D1Database, objects: readonly string[]): D1PreparedStatement {
  return db
    .prepare("DELETE FROM tombstones WHERE object IN (SELECT value FROM json_each(?))")
    .bind(JSON.stringify(objects));
}
