/** A table's files as of one of its versions, some dates at a time. */
import { filesAsOf as rowsAsOf } from "../../sql/statements/versions.ts";
import type { LakeBucket } from "./lake.ts";
import { type ManifestFile, manifestFile, readManifest } from "./manifest.ts";

export interface FileOfDate extends ManifestFile {
  readonly partition_date: string;
}

export interface FilesPage {
  /** By date. */
  readonly files: readonly FileOfDate[];
  /** The date behind which the next page begins; null: there is none. */
  readonly next: string | null;
}

/** Dates of a page: a closed one costs a read of R2. */
const DATES = 31;

/** Behind date `after`, of one date if it is given. `version` is one that can be read (`readableVersion`). Throws what D1 and `readManifest` throw. */
export async function filesAsOf(
  db: D1Database,
  bucket: Pick<LakeBucket, "get">,
  table: string,
  version: number,
  date?: string,
  after = "",
): Promise<FilesPage> {
  const { manifests, files } = await rowsAsOf(db, table, version, date ?? null, after, DATES);
  const byDate = Map.groupBy(files, (row) => row.partition_date);
  const page: FileOfDate[] = [];
  for (const { partition_date, manifest } of manifests) {
    const older = manifest === null ? [] : (await readManifest(bucket, manifest)).files;
    const all = [
      ...older.filter(({ added }) => added <= version),
      ...(byDate.get(partition_date) ?? []).map(manifestFile),
    ];
    page.push(...all.map((file) => ({ ...file, partition_date })));
  }
  return { files: page, next: manifests.length === DATES ? (manifests.at(-1)?.partition_date ?? null) : null };
}
