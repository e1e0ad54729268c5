/** The files of a partition's published version, wherever they are listed: in D1, or, once it is closed, in its manifest. */
import { type PublishedVersion, publishedPartition } from "../../sql/statements/published.ts";
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
  if (partition === undefined) return undefined;
  return { ...partition, files: await withManifest(bucket, partition.manifest, partition.files.map(manifestFile)) };
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
