/** The files of a date's manifest that have rows which a build did not see: after a rollback, or while its silver is built anew. */
import { foldedDate } from "../../../sql/statements/bronze-folding.ts";
import type { LakeBucket } from "../lake.ts";
import { readBronzeManifest, type StandingFile } from "./manifest.ts";

/** Those that are not retired, with a row registered behind `seen`. Reads the manifest only if it has any. Throws what D1 and R2 throw. */
export async function foldedBehind(
  db: D1Database,
  bucket: Pick<LakeBucket, "get">,
  topic: string,
  date: string,
  seen: number,
): Promise<readonly StandingFile[]> {
  const folded = await foldedDate(db, { topic, partition_date: date });
  if (folded === null || folded.through <= seen) return [];
  const { files } = await readBronzeManifest(bucket, folded.manifest);
  return files.filter(
    ({ retired, inputs }) => retired !== true && inputs.some(({ registration }) => registration > seen),
  );
}
