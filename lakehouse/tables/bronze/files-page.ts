/** A topic's bronze files, some dates at a time: those that stand now, whether D1 lists them or the manifests of folded dates. */
import { bronzeDates, type LiveFile, liveBronzeOf } from "../../../sql/statements/bronze-live.ts";
import type { LakeBucket } from "../lake.ts";
import { readBronzeManifest } from "./manifest.ts";

export interface BronzePage {
  /** By date and key. A file that dates share is with each of them. */
  readonly files: readonly LiveFile[];
  /** The date behind which the next page begins; null: there is none. */
  readonly next: string | null;
}

/** Dates of a page: a folded one costs a read of R2. */
const DATES = 31;

/** Behind date `after`, of one date if it is given. Each date's files are as of one moment. Throws what D1 and `readBronzeManifest` throw. */
export async function bronzeFilesPage(
  db: D1Database,
  bucket: Pick<LakeBucket, "get">,
  topic: string,
  date?: string,
  after = "",
): Promise<BronzePage> {
  const dates = await bronzeDates(db, topic, date ?? null, after, DATES);
  const { files, folded } = await liveBronzeOf(db, topic, dates);
  const byDate = Map.groupBy(files, (file) => file.partition_date);
  const manifests = new Map(folded.map(({ partition_date, manifest }) => [partition_date, manifest]));
  const page: LiveFile[] = [];
  for (const each of dates) {
    const manifest = manifests.get(each);
    const older = manifest === undefined ? [] : await manifestFiles(bucket, each, manifest);
    page.push(...[...older, ...(byDate.get(each) ?? [])].sort((a, b) => (a.file < b.file ? -1 : 1)));
  }
  return { files: page, next: dates.length === DATES ? (dates.at(-1) ?? null) : null };
}

/** The files of a date's manifest that are not retired. Throws what `readBronzeManifest` throws. */
export async function manifestFiles(
  bucket: Pick<LakeBucket, "get">,
  date: string,
  manifest: string,
): Promise<LiveFile[]> {
  const { files } = await readBronzeManifest(bucket, manifest);
  return files
    .filter(({ retired }) => retired !== true)
    .map(({ file, first_row, rows, bytes }) => ({ partition_date: date, file, first_row, rows, bytes }));
}
