/**
 * D1 does not grow with what is closed: a partition that was not committed for some days leaves its files to its manifest, an
 * immutable object, and keeps a row each in `published` and `versions`. A build that replaces files takes them back first.
 */
import {
  type FoldablePartition,
  foldablePartitions,
  foldPartition,
  unfoldPartition,
} from "../../sql/statements/folding.ts";
import { publishedPartition } from "../../sql/statements/published.ts";
import { type Table, tableByName, tables } from "./catalog.ts";
import type { LakeBucket } from "./lake.ts";
import { withManifest } from "./live-files.ts";
import { manifestFile, manifestKey, putManifest, readManifest } from "./manifest.ts";

/** Versions of this time are kept one an hour: files come and go. */
const OPEN_MS = 2 * 86_400_000;
/** Each costs a put and two calls of D1. */
const PARTITIONS_A_RUN = 100;

/** One run at `now` (milliseconds since the epoch): safe at any time and twice at once. Throws what R2 and D1 throw. */
export async function foldClosed(
  db: D1Database,
  bucket: LakeBucket,
  now: number,
): Promise<{ readonly folded: number; readonly more?: "now" }> {
  const names = tables.map(({ name }) => name);
  const due = await foldablePartitions(db, names, new Date(now - OPEN_MS).toISOString(), PARTITIONS_A_RUN);
  let folded = 0;
  for (const partition of due) if (await fold(db, bucket, partition)) folded++;
  return { folded, ...(folded > 0 && due.length === PARTITIONS_A_RUN ? { more: "now" } : {}) };
}

async function fold(
  db: D1Database,
  bucket: LakeBucket,
  { table_name, partition_date }: FoldablePartition,
): Promise<boolean> {
  const table = tableByName(table_name);
  const live = await publishedPartition(db, table_name, partition_date);
  if (table === undefined || live === undefined) return false;
  const { version, rows } = live;
  // Files that came since an earlier fold stand beside those of its manifest.
  const files = await withManifest(bucket, live.manifest, live.files.map(manifestFile));
  const key = manifestKey(table, partition_date, version);
  await putManifest(bucket, key, { format: 1, table: table_name, partition: partition_date, version, rows, files });
  return await foldPartition(db, { table_name, partition_date, version }, table.domain, key);
}

/** Brings a partition's files back into D1, so that a commit can remove them. Throws what D1 and `readManifest` throw. */
export async function unfold(
  db: D1Database,
  bucket: Pick<LakeBucket, "get">,
  table: Pick<Table, "name">,
  date: string,
): Promise<void> {
  const live = await publishedPartition(db, table.name, date);
  if (live === undefined || live.manifest === null) return;
  const { files } = await readManifest(bucket, live.manifest);
  await unfoldPartition(
    db,
    table.name,
    live.manifest,
    files.map((file) => ({ ...file, partition_date: date })),
  );
}
