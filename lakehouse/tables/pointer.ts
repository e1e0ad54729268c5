/**
 * What readers without D1 follow: `<directory>/current.json` names a manifest for each date of a table, which names the live files;
 * `<directory>/views.sql` makes DuckDB's view of them. Both are derived from D1 after each commit and may be written
 * again at any time; a writer that read D1 earlier never overwrites one that read it later. A manifest never changes, so a commit
 * writes one, and the pointer.
 */
import { type PublishedState, publishedState, tableVersion } from "../../sql/statements/published.ts";
import type { Table } from "./catalog.ts";
import type { LakeBucket } from "./lake.ts";
import { withManifest } from "./live-files.ts";
import { type ManifestFile, manifestFile, manifestKey, putManifest, readManifest } from "./manifest.ts";
import { evolvedColumns, filesOfViews, viewsSql } from "./views.ts";

const ATTEMPTS = 5;
/** Raised with the form of either object: what stands there in another one is written anew, with all that it names. */
const FORMAT = "2";

/** Brings both files up to D1's present state. */
export async function publishPointer(db: D1Database, bucket: LakeBucket, table: Table): Promise<void> {
  const pointed = await bucket.head(pointerKey(table));
  // All that a pointer names was written before it, so only what came behind it is missing.
  const behind = versionOf(pointed);
  const state = await publishedState(db, table.name, behind);
  // Some of its dates are of another generation than the rest: readers keep what they have until all are of one.
  if (state.held !== null) return;
  const { version } = state;
  const changed = await putManifests(bucket, table, state, behind);
  const pointer = {
    format: 2,
    table: table.name,
    version,
    partition_column: table.partition,
    manifests: state.partitions.map(({ partition_date, version: ofPartition, rows }) => ({
      partition: partition_date,
      version: ofPartition,
      rows,
      manifest: manifestKey(table, partition_date, ofPartition),
    })),
  };
  const text = `${JSON.stringify(pointer, null, 2)}\n`;
  await putIfNewer(bucket, { key: pointerKey(table), text, version, contentType: "application/json" }, pointed);
  const viewed = await bucket.get(viewsKey(table));
  const files = await filesByDate(bucket, table, state, changed, viewed);
  const views = viewsSql(table, files, evolvedColumns(table));
  await putIfNewer(bucket, { key: viewsKey(table), text: views, version, contentType: "application/sql" }, viewed);
}

/** Publishes when the files in R2 are behind D1: a builder that ended between its commit and its pointer leaves them so. */
export async function refreshPointer(db: D1Database, bucket: LakeBucket, table: Table): Promise<void> {
  const version = await tableVersion(db, table.name);
  if (version === 0) return;
  const [pointer, views] = await Promise.all([bucket.head(pointerKey(table)), bucket.head(viewsKey(table))]);
  if (versionOf(pointer) >= version && versionOf(views) >= version) return;
  await publishPointer(db, bucket, table);
}

/** Of the partitions that were committed after version `behind`; gives their files by date. */
async function putManifests(
  bucket: LakeBucket,
  table: Table,
  { partitions, files }: PublishedState,
  behind: number,
): Promise<ReadonlyMap<string, readonly ManifestFile[]>> {
  const byDate = Map.groupBy(files, (row) => row.partition_date);
  const changed = new Map<string, readonly ManifestFile[]>();
  for (const { partition_date: partition, version, rows, manifest } of partitions) {
    if (version <= behind) continue;
    const all = await withManifest(bucket, manifest, (byDate.get(partition) ?? []).map(manifestFile));
    changed.set(partition, all);
    const content = { format: 1, table: table.name, partition, version, rows, files: all } as const;
    await putManifest(bucket, manifestKey(table, partition, version), content);
  }
  return changed;
}

/** The keys of the data files of all dates: of those that did not change, as the views have them. */
async function filesByDate(
  bucket: LakeBucket,
  table: Table,
  { partitions }: PublishedState,
  changed: ReadonlyMap<string, readonly ManifestFile[]>,
  views: R2ObjectBody | null,
): Promise<Map<string, readonly string[]>> {
  const listed = views === null ? new Map<string, string[]>() : filesOfViews(table, await views.text());
  const asOf = versionOf(views);
  const files = new Map<string, readonly string[]>();
  for (const { partition_date: date, version } of partitions) {
    const known = version <= asOf ? (listed.get(date) ?? []) : undefined;
    const all = changed.get(date);
    const keys = all === undefined ? undefined : dataKeys(all);
    files.set(date, keys ?? known ?? dataKeys((await readManifest(bucket, manifestKey(table, date, version))).files));
  }
  return files;
}

function dataKeys(files: readonly ManifestFile[]): string[] {
  return files.filter(({ kind }) => kind === "data").map(({ file }) => file);
}

function pointerKey({ directory }: Pick<Table, "directory">): string {
  return `${directory}/current.json`;
}

function viewsKey({ directory }: Pick<Table, "directory">): string {
  return `${directory}/views.sql`;
}

/** 0 for none, and for one of another form. */
function versionOf(object: R2Object | null): number {
  return object?.customMetadata?.["format"] === FORMAT ? Number(object.customMetadata["version"]) : 0;
}

interface Projection {
  readonly key: string;
  readonly text: string;
  readonly version: number;
  readonly contentType: string;
}

/** `found`: what stood there a moment ago; another look at it would be billed. */
async function putIfNewer(
  bucket: LakeBucket,
  { key, text, version, contentType }: Projection,
  found: R2Object | null,
): Promise<void> {
  let current = found;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (versionOf(current) > version) return;
    const put = await bucket.put(key, text, {
      onlyIf: current === null ? { etagDoesNotMatch: "*" } : { etagMatches: current.etag },
      customMetadata: { version: String(version), format: FORMAT },
      httpMetadata: { contentType },
    });
    if (put !== null) return;
    current = await bucket.head(key);
  }
  // Every loss was to another writer of the same pointer; the last of them wrote a state at least as new as ours was.
}
