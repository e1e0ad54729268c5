/**
 * The second of prepare, stage, commit: a candidate's rows become data files in R2. Nothing points at them until the
 * commit, so a crash leaves only unreferenced objects behind.
 */

import type { AddedFile, FileKind } from "../../sql/statements/data-files.ts";
import type { Batch } from "../engine/columns/column.ts";
import { release } from "../engine/columns/release.ts";
import { sliceBatch } from "../engine/columns/slice.ts";
import { IpcSink } from "../engine/parquet/ipc-sink.ts";
import { createParquetWriter } from "../engine/parquet/writer.ts";
import type { TableBase } from "./catalog.ts";
import type { LakeWork } from "./lake.ts";

/** What staging asks of a table. */
export type StagedTable = Pick<
  TableBase,
  "name" | "directory" | "partition" | "fields" | "dictionaryColumns" | "sortedBy" | "unbounded"
>;

/** Compressed bytes after which a data file ends: large enough for readers, small enough to be held while it is written. */
const FILE_BYTES = 8 * 1024 * 1024;

/** How the keys of a run's files begin: without listing more than these, all that it staged is found. */
export function stagedPrefix(
  { directory, partition }: Pick<StagedTable, "directory" | "partition">,
  date: string,
  runId: string,
): string {
  return `${directory}/${partition}=${date}/${runId}-`;
}

/** The same of the objects of a run's keys, which are no data: no reader's glob may find them. */
export function keysPrefix({ directory }: Pick<StagedTable, "directory">, date: string, runId: string): string {
  return `${directory}/metadata/keys/${date}/${runId}-`;
}

/** The same of the objects of a run's partial result. */
export function partialsPrefix({ directory }: Pick<StagedTable, "directory">, date: string, runId: string): string {
  return `${directory}/metadata/partials/${date}/${runId}-`;
}

/** The work order of a native run (`lakehouse/builds/native/standing.ts`), which is all of the object's key. */
export function orderKey({ directory }: Pick<StagedTable, "directory">, date: string, runId: string): string {
  return `${directory}/metadata/orders/${date}/${runId}.json`;
}

/** Writes a run's rows to `<directory>/<partition>=<date>/<run id>-<n>.parquet`, a file of some 8 MB after the other. */
export class FileStager {
  readonly #lake: LakeWork;
  readonly #table: StagedTable;
  readonly #prefix: string;
  readonly #runId: string;
  readonly #kind: FileKind;
  readonly #first: number;
  readonly #fileBytes: number;
  readonly #files: AddedFile[] = [];
  readonly #sink = new IpcSink();
  #writer: ReturnType<typeof createParquetWriter> | undefined;

  /** `first`: how many files of the run others have staged. `fileBytes`: compressed ones after which a file ends. */
  constructor(
    lake: LakeWork,
    table: StagedTable,
    date: string,
    runId: string,
    kind: FileKind = "data",
    first = 0,
    fileBytes = FILE_BYTES,
  ) {
    this.#lake = lake;
    this.#table = table;
    this.#prefix = stagedPrefix(table, date, runId);
    this.#runId = runId;
    this.#kind = kind;
    this.#first = first;
    this.#fileBytes = fileBytes;
  }

  async add(rows: Batch): Promise<void> {
    for (let start = 0; start < rows.length; start += PORTION_ROWS) {
      this.#writer ??= this.#newWriter();
      this.#writer.add(sliceBatch(rows, start, Math.min(start + PORTION_ROWS, rows.length)));
      if (this.#writer.bytes >= this.#fileBytes) await this.#put(this.#writer);
    }
  }

  /** A file without rows, if there is none with: it has the table's columns. */
  addNothing(): void {
    this.#writer ??= this.#newWriter();
  }

  /** The files, in the order of their rows; none where there was no row. */
  async finish(): Promise<readonly AddedFile[]> {
    if (this.#writer !== undefined) await this.#put(this.#writer);
    this.#sink.release();
    return this.#files;
  }

  #newWriter() {
    const { fields, dictionaryColumns, sortedBy, name } = this.#table;
    const metadata = { "sluice.table": name, "sluice.run": this.#runId };
    return createParquetWriter(this.#lake.permit, { fields, dictionaryColumns, sortedBy, metadata }, this.#sink);
  }

  async #put(writer: ReturnType<typeof createParquetWriter>): Promise<void> {
    const { rows } = writer;
    const bytes = writer.finish();
    this.#writer = undefined;
    const file = `${this.#prefix}${this.#first + this.#files.length}.parquet`;
    await this.#lake.bucket.put(file, bytes, { httpMetadata: { contentType: "application/vnd.apache.parquet" } });
    const size = bytes.byteLength;
    release(bytes);
    const told = Object.entries(writer.statistics()).filter(([column]) => !this.#table.unbounded.includes(column));
    this.#files.push({ file, kind: this.#kind, rows, bytes: size, stats: Object.fromEntries(told) });
  }
}

/** Rows between two looks at a file's size. */
const PORTION_ROWS = 8_192;

/** Writes all rows of a run; always at least one file, so that an empty partition still has its columns. */
export async function stageFiles(
  lake: LakeWork,
  table: StagedTable,
  date: string,
  runId: string,
  rows: Batch,
  kind: FileKind = "data",
): Promise<readonly AddedFile[]> {
  const stager = new FileStager(lake, table, date, runId, kind);
  if (rows.length > 0) await stager.add(rows);
  else stager.addNothing();
  return stager.finish();
}
