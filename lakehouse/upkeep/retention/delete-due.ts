/** Deletes objects of R2 that nothing has referred to for a day. */
import { dueTombstones, forgetTombstones } from "../../../sql/statements/tombstones.ts";

export interface TombstoneDeps {
  readonly db: D1Database;
  readonly bucket: Pick<R2Bucket, "delete">;
  log(event: Readonly<Record<string, unknown>>): void;
}

/** As many as R2 deletes at once. */
const OBJECTS_A_RUN = 1_000;

/** One run: a bounded number of objects. A crash between R2 and D1 deletes them again, which does nothing. Throws what both throw. */
export async function deleteTombstones(
  deps: TombstoneDeps,
): Promise<{ readonly deleted: number; readonly more?: "now" }> {
  const objects = await dueTombstones(deps.db, OBJECTS_A_RUN);
  if (objects.length === 0) return { deleted: 0 };
  await deps.bucket.delete(objects);
  await forgetTombstones(deps.db, objects).run();
  deps.log({ event: "tombstones", deleted: objects.length });
  return { deleted: objects.length, ...(objects.length === OBJECTS_A_RUN ? { more: "now" } : {}) };
}
