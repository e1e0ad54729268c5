/**
 * Files of dates that D1 gave up to their manifests, for those who look for files by their times. A date may be folded between two looks:
 * who asks D1 first and the manifests after it sees its files at least once.
 */
import { type FoldedRange, foldedDates } from "../../../sql/statements/bronze-folding.ts";
import type { LakeBucket } from "../lake.ts";
import { readBronzeManifest, type StandingFile } from "./manifest.ts";

/** Manifests that are read at once; a storm of old dates has more of them than a call may ask for. */
const MOST_MANIFESTS = 200;

/** Of the dates that can have such files, each file once; `manifests`: at most so many dates, the last registered first. Throws what D1 and `readBronzeManifest` throw. */
export async function foldedFiles(
  db: D1Database,
  bucket: Pick<LakeBucket, "get">,
  topic: string,
  range: FoldedRange,
  manifests = MOST_MANIFESTS,
): Promise<StandingFile[]> {
  const files = new Map<string, StandingFile>();
  for (const { manifest } of await foldedDates(db, topic, range, manifests)) {
    for (const file of (await readBronzeManifest(bucket, manifest)).files) files.set(file.file, file);
  }
  return [...files.values()];
}
