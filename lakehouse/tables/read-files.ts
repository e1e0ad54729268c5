/** Reading rows of a table's files as the table is today: a file from before a column was released lacks it. */
import type { Batch, Field } from "../engine/columns/column.ts";
import { conform } from "../engine/columns/conform.ts";
import { CorruptParquetError, openParquet, type ParquetFile } from "../engine/parquet/reader.ts";
import { type LakeWork, type TailedSource, tailedSource } from "./lake.ts";

/** A file, or `rows` of its rows behind the first `firstRow`. */
export interface FilePiece {
  readonly file: string;
  readonly firstRow?: number;
  readonly rows?: number;
}

/**
 * The pieces' rows in their order, with exactly `fields`. `transient` as of `ParquetReadOptions`. Throws what reading throws,
 * CorruptParquetError for a file that is too short.
 */
export async function* readFiles(
  { bucket, permit }: LakeWork,
  pieces: Iterable<FilePiece>,
  fields: readonly Field[],
  transient = false,
): AsyncGenerator<Batch, void, undefined> {
  let open: { readonly source: TailedSource; readonly parquet: ParquetFile } | undefined;
  try {
    for (const { file, firstRow = 0, rows } of pieces) {
      if (open?.source.name !== file) {
        open?.source[Symbol.dispose]();
        const source = await tailedSource(bucket, file);
        open = { source, parquet: await openParquet(source) };
      }
      const { parquet } = open;
      const columns = fields.map(({ name }) => name).filter((name) => parquet.columns.includes(name));
      let read = 0;
      const wanted = { columns, offset: firstRow, ...(rows === undefined ? {} : { limit: rows }), transient };
      for await (const batch of parquet.read(permit, wanted)) {
        read += batch.length;
        yield conform(batch, fields);
      }
      if (rows !== undefined && read !== rows)
        throw new CorruptParquetError(
          file,
          `it has ${read} of the ${rows} rows that the catalog lists from row ${firstRow} on`,
        );
    }
  } finally {
    open?.source[Symbol.dispose]();
  }
}
