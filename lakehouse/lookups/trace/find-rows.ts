/** The rows of Parquet files in which a text column has one value, reading as little as statistics and ranges allow. */

import type { Batch, BytesColumn } from "../../engine/columns/column.ts";
import { rowAt, type Value } from "../../engine/columns/value.ts";
import { openParquet, type ParquetFile, type RangeSource } from "../../engine/parquet/reader.ts";
import { int64Range, mayHold } from "../../engine/parquet/statistics.ts";
import type { WasmPermit } from "../../engine/parquet/wasm.ts";

/** What is looked for: rows whose `column` is `text`, received at one of `received` (microseconds) if that is known. */
export interface RowSearch {
  readonly column: string;
  readonly text: string;
  readonly received?: readonly bigint[];
  /** Columns to give of each row found. */
  readonly wanted: readonly string[];
}

export interface FoundRow {
  readonly file: string;
  readonly row_group: number;
  /** Counted from the file's first. */
  readonly row: number;
  readonly values: Readonly<Record<string, Value>>;
}

/** What reading a search cost. */
export interface SearchCost {
  files: number;
  /** Of those, files of which nothing but the footer was read. */
  files_pruned: number;
  row_groups: number;
}

/** A file of a search whose footer was read, and the row groups that can hold the text; none means that it is done with. */
export interface OpenedFile {
  readonly name: string;
  readonly parquet: ParquetFile;
  readonly rowGroups: readonly number[];
}

/** Reads a footer. Throws CorruptParquetError, and what the source throws. */
export async function openForSearch(source: RangeSource, search: RowSearch): Promise<OpenedFile> {
  const parquet = await openParquet(source);
  const rowGroups = [...parquet.rowGroups.keys()].filter((group) => mayHoldRows(parquet, group, search));
  return { name: source.name, parquet, rowGroups };
}

function mayHoldRows(parquet: ParquetFile, group: number, { column, text, received }: RowSearch): boolean {
  if (!parquet.columns.includes(column)) return false;
  if (!mayHold(parquet.range(group, column), text)) return false;
  const times = int64Range(parquet.range(group, "_received"));
  return received === undefined || times === undefined || received.some((at) => at >= times.min && at <= times.max);
}

/** The rows found, in the order of the file. */
export async function findRows(
  permit: WasmPermit,
  { name, parquet, rowGroups }: OpenedFile,
  search: RowSearch,
  cost: SearchCost,
): Promise<FoundRow[]> {
  const found: FoundRow[] = [];
  const columns = search.wanted.filter((column) => parquet.columns.includes(column));
  for (const group of rowGroups) {
    cost.row_groups++;
    let offset = 0;
    for await (const batch of parquet.read(permit, { columns: [search.column], rowGroups: [group] })) {
      for (const row of matches(batch, search.text)) {
        const read = parquet.read(permit, { columns, rowGroups: [group], offset: offset + row, limit: 1 });
        const firstRow = parquet.rowGroups[group]?.firstRow ?? 0;
        for await (const one of read) {
          found.push({ file: name, row_group: group, row: firstRow + offset + row, values: rowAt(one, 0) });
        }
      }
      offset += batch.length;
    }
  }
  return found;
}

/** Rows of the batch's only column that are `text`, compared as bytes: no value is decoded. */
export function matches(batch: Batch, text: string): number[] {
  const [column] = batch.columns;
  return column?.kind === "bytes" ? matchingRows(column, Buffer.from(text)) : [];
}

function matchingRows({ offsets, bytes, nulls, length }: BytesColumn, text: Buffer): number[] {
  const values = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const rows: number[] = [];
  for (let row = 0; row < length; row++) {
    const start = offsets[row] ?? 0;
    const end = offsets[row + 1] ?? 0;
    if (end - start !== text.length || nulls?.[row] === 1) continue;
    if (values.compare(text, 0, text.length, start, end) === 0) rows.push(row);
  }
  return rows;
}
