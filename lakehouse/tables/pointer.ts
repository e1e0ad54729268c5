/**
 * What readers without D1 follow: `<directory>/current.json` names the live files of a table, `<directory>/views.sql`
 * is a DuckDB view over the files that `current.json` names. The pointer is derived from D1 after each commit and may be written
 * again at any time; a writer that read D1 earlier never overwrites one that read it later. The view's text changes only with
 * the table's columns: a write to R2 costs as much as four rows of D1, and a table is committed every minute.
 */
import { createHash } from "node:crypto";
import { liveFiles, tableVersion } from "../../sql/statements/snapshots.ts";
import { evolvedFields } from "../bronze/table.ts";
import type { Field } from "../engine/columns/column.ts";
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
  await putIfNewer(bucket, pointerKey(table), `${JSON.stringify(pointer, null, 2)}\n`, version, "application/json");
  await putIfOther(
    bucket,
    viewsKey(table),
    viewSql(table, table.kind === "topic" ? evolvedFields(table.contract) : []),
    "application/sql",
  );
}

/** Publishes when the files in R2 are behind D1: a builder that ended between its commit and its pointer leaves them so. */
export async function refreshPointer(db: D1Database, bucket: LakeBucket, table: Table): Promise<void> {
  const version = await tableVersion(db, table.name);
  if (version === 0) return;
  const [pointer, views] = await Promise.all([bucket.head(pointerKey(table)), bucket.head(viewsKey(table))]);
  if (versionOf(pointer) >= version && views !== null) return;
  await publishPointer(db, bucket, table);
}

function pointerKey({ directory }: Pick<Table, "directory">): string {
  return `${directory}/current.json`;
}

function viewsKey({ directory }: Pick<Table, "directory">): string {
  return `${directory}/views.sql`;
}

function versionOf(object: R2Object | null): number {
  return Number(object?.customMetadata?.["version"] ?? 0);
}

/**
 * A view over the files that the pointer names when it is run; with `fields`, older files show these columns too.
 * `SET VARIABLE lake = 's3://BUCKET'` (or a local folder) tells DuckDB where the lake is.
 */
export function viewSql(table: Pick<Table, "name" | "directory">, fields: readonly Field[] = []): string {
  const pointer = `getvariable('lake') || '/${pointerKey(table)}'`;
  const files = `'${table.name}_files'`;
  const rows = evolvedRows(
    `read_parquet(getvariable(${files}), union_by_name = true, hive_partitioning = false)`,
    fields,
  );
  return `-- SET VARIABLE lake = 's3://YOUR-BUCKET'; then run this file, and again for what was published since.
SET VARIABLE ${table.name}_files = (
  SELECT list(getvariable('lake') || '/' || live.file)
  FROM (SELECT unnest(files) AS live FROM read_json(${pointer}, columns = {files: 'STRUCT(file VARCHAR)[]'}))
);
CREATE OR REPLACE VIEW ${table.name} AS ${rows};
`;
}

async function putIfOther(bucket: LakeBucket, key: string, text: string, contentType: string): Promise<void> {
  const digest = createHash("sha256").update(text).digest("hex");
  const current = await bucket.head(key);
  if (current?.customMetadata?.["sha256"] === digest) return;
  await bucket.put(key, text, { customMetadata: { sha256: digest }, httpMetadata: { contentType } });
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
