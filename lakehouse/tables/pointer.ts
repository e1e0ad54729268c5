/**
 * What readers without D1 follow: `<directory>/current.json` names the live files of a table, `<directory>/views.sql`
 * is a DuckDB view over them. Both are derived from D1 after the commit and may be written again at any time; a writer
 * that read D1 earlier never overwrites one that read it later.
 */
import { liveFiles, tableVersion } from "../../sql/statements/snapshots.ts";
import { evolvedFields } from "../bronze/table.ts";
import type { Field } from "../columns/column.ts";
import type { Table } from "./catalog.ts";
import { evolvedRows } from "./evolved-rows.ts";
import type { LakeBucket } from "./lake.ts";

const ATTEMPTS = 5;

/** Brings both files up to D1's present state. */
export async function publishPointer(db: D1Database, bucket: LakeBucket, table: Table): Promise<void> {
  // The version is read first: files of a later commit under an earlier number are corrected by that commit's own pointer.
  const version = await tableVersion(db, table.name);
  const files = await liveFiles(db, table.name);
  const pointer = {
    table: table.name,
    version,
    partition_column: table.partition,
    files: files.map(({ file, rows, bytes, partition_date, snapshot_id }) => ({
      file,
      rows,
      bytes,
      partition: partition_date,
      snapshot: snapshot_id,
    })),
  };
  const [pointerKey, viewsKey] = pointerKeys(table);
  await putIfNewer(bucket, pointerKey, `${JSON.stringify(pointer, null, 2)}\n`, version, "application/json");
  await putIfNewer(
    bucket,
    viewsKey,
    viewSql(
      table.name,
      files.map(({ file }) => file),
      table.kind === "topic" ? evolvedFields(table.contract) : [],
    ),
    version,
    "application/sql",
  );
}

/** Publishes when the files in R2 are behind D1: a builder that ended between its commit and its pointer leaves them so. */
export async function refreshPointer(db: D1Database, bucket: LakeBucket, table: Table): Promise<void> {
  const version = await tableVersion(db, table.name);
  if (version === 0) return;
  const heads = await Promise.all(pointerKeys(table).map((key) => bucket.head(key)));
  if (heads.every((head) => versionOf(head) >= version)) return;
  await publishPointer(db, bucket, table);
}

function pointerKeys(table: Table): [pointer: string, views: string] {
  return [`${table.directory}/current.json`, `${table.directory}/views.sql`];
}

function versionOf(object: R2Object | null): number {
  return Number(object?.customMetadata?.["version"] ?? 0);
}

/**
 * A view over the live files; with `fields`, older files show these columns too. `SET VARIABLE lake = 's3://BUCKET'` (or a local folder) tells DuckDB where the lake is.
 */
export function viewSql(table: string, files: readonly string[], fields: readonly Field[] = []): string {
  if (files.length === 0) return `-- ${table} has no published partition yet.\n`;
  const list = files.map((file) => `  getvariable('lake') || '/${file.replaceAll("'", "''")}'`).join(",\n");
  return `-- SET VARIABLE lake = 's3://YOUR-BUCKET'; then run this file.\nCREATE OR REPLACE VIEW ${table} AS ${evolvedRows(`read_parquet([\n${list}\n], union_by_name = true, hive_partitioning = false)`, fields)};\n`;
}

async function putIfNewer(
  bucket: LakeBucket,
  key: string,
  text: string,
  version: number,
  contentType: string,
): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const current = await bucket.head(key);
    if (versionOf(current) > version) return;
    const put = await bucket.put(key, text, {
      onlyIf: current === null ? { etagDoesNotMatch: "*" } : { etagMatches: current.etag },
      customMetadata: { version: String(version) },
      httpMetadata: { contentType },
    });
    if (put !== null) return;
  }
  // Every loss was to another writer of the same pointer; the last of them wrote a state at least as new as ours was.
}
