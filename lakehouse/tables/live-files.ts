/** The files of a partition's published version, wherever they are listed: in D1, or, once it is closed, in its manifest. */
import { FILE_COLUMNS_ALONE } from "../../sql/statements/data-files.ts";
import {
  type PublishedFiles,
  type PublishedVersion,
  publishedPartition,
  publishedPartitions,
} from "../../sql/statements/published.ts";
import type { LakeBucket } from "./lake.ts";
import { type ManifestFile, manifestFile, readManifest } from "./manifest.ts";

export interface LivePartition extends PublishedVersion {
  /** Of every kind, by key. */
  readonly files: readonly ManifestFile[];
}

/** Undefined when no version of the partition is published. Throws what D1 and `readManifest` throw. */
export async function livePartition(
  db: D1Database,
  bucket: Pick<LakeBucket, "get">,
  table: string,
  date: string,
): Promise<LivePartition | undefined> {
  const partition = await publishedPartition(db, table, date);
  return partition === undefined ? undefined : await liveOf(bucket, partition);
}

async function liveOf(bucket: Pick<LakeBucket, "get">, partition: PublishedFiles): Promise<LivePartition> {
  return { ...partition, files: await withManifest(bucket, partition.manifest, partition.files.map(manifestFile)) };
}

/** Dates of an answer: an invocation has a thousand queries, which a model that reads years of several tables would use up one by one. */
const DATES = 31;

/**
 * Those of these dates of which a version is published, by date, for who reads their rows: files in D1 come without their statistics,
 * which each step of a build would parse and leave to a collection. Throws as `livePartition` does.
 */
export async function livePartitions(
  db: D1Database,
  bucket: Pick<LakeBucket, "get">,
  table: string,
  dates: readonly string[],
): Promise<ReadonlyMap<string, LivePartition>> {
  const live = new Map<string, LivePartition>();
  for (let start = 0; start < dates.length; start += DATES) {
    const page = await publishedPartitions(db, table, dates.slice(start, start + DATES), FILE_COLUMNS_ALONE);
    for (const partition of await Promise.all(page.map((each) => liveOf(bucket, each))))
      live.set(partition.partition_date, partition);
  }
  return live;
}

/** The files of D1 and those of the manifest, if there is one, by key. */
export async function withManifest(
  bucket: Pick<LakeBucket, "get">,
  manifest: string | null,
  files: readonly ManifestFile[],
): Promise<readonly ManifestFile[]> {
  if (manifest === null) return files;
  const { files: older } = await readManifest(bucket, manifest);
  return [...older, ...files].sort((a, b) => (a.file < b.file ? -1 : 1));
}
