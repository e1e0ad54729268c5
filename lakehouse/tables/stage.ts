/**
 * The second of prepare, stage, commit: a candidate's rows become data files in R2. Nothing points at them until the
 * commit, so a crash leaves only unreferenced objects behind.
 */

import type { DataFile } from "../../sql/statements/snapshots.ts";
import type { Batch } from "../engine/columns/column.ts";
import { sliceBatch } from "../engine/columns/slice.ts";
import { writeParquet } from "../engine/parquet/writer.ts";
import type { TableBase } from "./catalog.ts";
import type { LakeBucket } from "./lake.ts";

/** What staging asks of a table. */
export type StagedTable = Pick<
  TableBase,
  "name" | "directory" | "partition" | "fields" | "dictionaryColumns" | "sortedBy"
>;

/** Rows of a data file at the most: large enough for readers, small enough to be rewritten and to fit an isolate. */
const FILE_ROWS = 250_000;

/** How the keys of a run's files begin: without listing more than these, all that it staged is found. */
export function stagedPrefix(
  { directory, partition }: Pick<StagedTable, "directory" | "partition">,
  date: string,
  runId: string,
): string {
  return `${directory}/${partition}=${date}/${runId}-`;
}

/** Writes `<directory>/<partition>=<date>/<run id>-<n>.parquet`; always at least one file, so that an empty partition still has its columns. */
export async function stageFiles(
  bucket: LakeBucket,
  table: StagedTable,
  date: string,
  runId: string,
  rows: Batch,
): Promise<DataFile[]> {
  const files: DataFile[] = [];
  for (let start = 0; start === 0 || start < rows.length; start += FILE_ROWS) {
    const part = sliceBatch(rows, start, Math.min(start + FILE_ROWS, rows.length));
    const file = `${stagedPrefix(table, date, runId)}${files.length}.parquet`;
    const bytes = await writeParquet({
      fields: table.fields,
      batches: [part],
      dictionaryColumns: table.dictionaryColumns,
      sortedBy: table.sortedBy,
      metadata: { "sluice.table": table.name, "sluice.run": runId },
    });
    await bucket.put(file, bytes, { httpMetadata: { contentType: "application/vnd.apache.parquet" } });
    files.push({ file, rows: part.length, bytes: bytes.byteLength });
  }
  return files;
}
