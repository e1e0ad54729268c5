/** Retention of dates whose bronze stands in manifests: the objects go by their tombstones, and a manifest says so in place of the one before. */
import { randomUUID } from "node:crypto";
import { expiredFoldedDates, type FoldedDate, retireFolded } from "../../../sql/statements/bronze-folding.ts";
import type { Expiry } from "../../../sql/statements/retention.ts";
import { totalsOf } from "../../tables/bronze/fold.ts";
import { namedManifest, putBronzeManifest, readBronzeManifest } from "../../tables/bronze/manifest.ts";
import type { LakeBucket } from "../../tables/lake.ts";

/** Each costs a read and a put, and a call of D1. */
const DATES_A_RUN = 50;

/** How many files went. Safe at any time and twice at once. Throws what D1 and R2 throw. */
export async function retireFoldedDates(
  db: D1Database,
  bucket: Pick<LakeBucket, "get" | "put">,
  expiries: readonly Expiry[],
): Promise<{ readonly files: number; readonly full: boolean }> {
  const lastDates = new Map(expiries.map(({ topic, lastDate }) => [topic, lastDate]));
  const due = await expiredFoldedDates(db, expiries, DATES_A_RUN);
  let files = 0;
  for (const date of due) files += await retireDate(db, bucket, date, lastDates.get(date.topic) ?? "");
  return { files, full: files > 0 && due.length === DATES_A_RUN };
}

async function retireDate(
  db: D1Database,
  bucket: Pick<LakeBucket, "get" | "put">,
  date: FoldedDate,
  lastDate: string,
): Promise<number> {
  const { files } = await readBronzeManifest(bucket, date.manifest);
  // A file that has rows of younger dates, too, waits for the last of them.
  const due = files.filter(({ retired, last_date }) => retired !== true && last_date <= lastDate);
  if (due.length === 0) return 0;
  const left = files.map((file) => (due.includes(file) ? { ...file, retired: true as const } : file));
  const { key, text } = namedManifest(date.topic, date.partition_date, left);
  await putBronzeManifest(bucket, key, text);
  const { live_files, live_rows } = totalsOf(left);
  const next = { ...date, manifest: key, live_files, live_rows };
  const gone = due.map(({ file }) => file);
  return (await retireFolded(db, next, date.manifest, gone, randomUUID())) ? due.length : 0;
}
