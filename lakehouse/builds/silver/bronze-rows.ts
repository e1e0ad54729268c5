/** Reading the bronze rows of one partition, wherever they stand. */
import type { BronzeInput } from "../../../sql/statements/snapshots.ts";
import type { Batch, Field } from "../../engine/columns/column.ts";
import { conform } from "../../engine/columns/conform.ts";
import { openParquet, type ParquetFile } from "../../engine/parquet/reader.ts";
import { type LakeBucket, tailedSource } from "../../tables/lake.ts";

/** Rows [firstRow, firstRow + rows) of an object. */
export interface StoredRows {
  readonly file: string;
  readonly firstRow: number;
  readonly rows: number;
}

/** Where the rows of the inputs stand, in the inputs' order; neighbours in one object are one piece. Pure. */
export function storedRows(inputs: readonly BronzeInput[]): StoredRows[] {
  const pieces: { file: string; firstRow: number; rows: number }[] = [];
  for (const { stored_file: file, stored_row: firstRow, rows } of inputs) {
    const last = pieces.at(-1);
    if (last?.file === file && last.firstRow + last.rows === firstRow) last.rows += rows;
    else pieces.push({ file, firstRow, rows });
  }
  return pieces;
}

/** The rows of the inputs in their order, with exactly `fields`. Throws what reading throws. */
export async function* bronzeRows(
  bucket: LakeBucket,
  inputs: readonly BronzeInput[],
  fields: readonly Field[],
): AsyncGenerator<Batch, void, undefined> {
  let open: { readonly key: string; readonly parquet: ParquetFile } | undefined;
  for (const { file, firstRow, rows } of storedRows(inputs)) {
    if (open?.key !== file) open = { key: file, parquet: await openParquet(await tailedSource(bucket, file)) };
    const { parquet } = open;
    const columns = fields.map((field) => field.name).filter((name) => parquet.columns.includes(name));
    for await (const batch of parquet.read({ columns, offset: firstRow, limit: rows })) yield conform(batch, fields);
  }
}
