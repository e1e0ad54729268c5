/** Deletes objects of R2 that nothing has referred to for a day. */
import { type DueBounds, dueTombstones, forgetTombstones, objectsOf } from "../../../sql/statements/tombstones.ts";

export interface TombstoneDeps {
  readonly db: D1Database;
  readonly bucket: Pick<R2Bucket, "delete">;
  log(event: Readonly<Record<string, unknown>>): void;
}

/** As many as R2 deletes at once. */
const DELETED_AT_ONCE = 1_000;
/** A tombstone is of one object, or of many that went together: the cron's isolate holds the names of both. */
const A_RUN: DueBounds = { tombstones: 1_000, objects: 10_000 };

/** One run: a bounded number of objects. A crash between R2 and D1 deletes them again, which does nothing. Throws what both throw. */
export async function deleteTombstones(
  deps: TombstoneDeps,
  bounds = A_RUN,
): Promise<{ readonly deleted: number; readonly more?: "now" }> {
  const due = await dueTombstones(deps.db, bounds);
  const objects = due.flatMap(objectsOf);
  if (objects.length === 0) return { deleted: 0 };
  for (let at = 0; at < objects.length; at += DELETED_AT_ONCE)
    await deps.bucket.delete(objects.slice(at, at + DELETED_AT_ONCE));
  await forgetTombstones(deps.db, due).run();
  deps.log({ event: "tombstones", deleted: objects.length });
  const isFull = due.length >= bounds.tombstones || objects.length >= bounds.objects;
  return { deleted: objects.length, ...(isFull ? { more: "now" } : {}) };
}
