/** Reading the bronze rows of one partition, wherever they stand. */
import type { BronzeInput } from "../../../sql/statements/bronze-inputs.ts";
import type { Batch, Field } from "../../engine/columns/column.ts";
import { ColumnMismatchError, conform, requireColumns } from "../../engine/columns/conform.ts";
import { bytesSource } from "../../engine/parquet/range-source.ts";
import { CorruptParquetError, openParquet } from "../../engine/parquet/reader.ts";
import { type LakeWork, type TailedSource, tailedSource } from "../../tables/lake.ts";

/** Rows [firstRow, firstRow + rows) of an object. */
export interface StoredRows {
  readonly file: string;
  readonly firstRow: number;
  readonly rows: number;
}

/** Where the rows of the inputs stand, in the order in which they are read; neighbours in one object are one piece. Pure. */
export function storedRows(inputs: readonly BronzeInput[]): StoredRows[] {
  const pieces: { file: string; firstRow: number; rows: number }[] = [];
  for (const { stored_file: file, stored_row: firstRow, rows } of inReadingOrder(inputs)) {
    const last = pieces.at(-1);
    if (last?.file === file && last.firstRow + last.rows === firstRow) last.rows += rows;
    else pieces.push({ file, firstRow, rows });
  }
  return pieces;
}

/** Each object once and front to back: by position, the rows of several shards alternate between their compacted files. */
function inReadingOrder(inputs: readonly BronzeInput[]): readonly BronzeInput[] {
  return inputs.toSorted((a, b) =>
    a.stored_file === b.stored_file ? a.stored_row - b.stored_row : a.stored_file < b.stored_file ? -1 : 1,
  );
}

/** The numbers that the rows of the inputs have as they are read, in the order of their positions: as the inputs are given. Pure. */
export function positionOrder(inputs: readonly BronzeInput[]): Int32Array {
  const firstRead = new Map<BronzeInput, number>();
  let rows = 0;
  for (const input of inReadingOrder(inputs)) {
    firstRead.set(input, rows);
    rows += input.rows;
  }
  const order = new Int32Array(rows);
  let position = 0;
  for (const input of inputs) {
    const first = firstRead.get(input) ?? 0;
    for (let row = 0; row < input.rows; row++) order[position++] = first + row;
  }
  return order;
}

/**
 * The rows of the inputs in the order of `storedRows`, with exactly `fields`. `transient` as of `ParquetReadOptions`. Throws what
 * reading throws.
 */
export async function* bronzeRows(
  { bucket, permit }: LakeWork,
  inputs: readonly BronzeInput[],
  fields: readonly Field[],
  transient = false,
  ends?: FileEnds,
): AsyncGenerator<Batch, void, undefined> {
  for (const [file, pieces] of Map.groupBy(storedRows(inputs), (piece) => piece.file)) {
    using source = await (ends?.open(bucket, file) ?? tailedSource(bucket, file));
    const parquet = await openParquet(source);
    orCorrupt(file, () => requireColumns(parquet.columns, fields));
    const columns = fields.map((field) => field.name).filter((name) => parquet.columns.includes(name));
    for (const { firstRow, rows } of pieces) {
      let read = 0;
      for await (const batch of parquet.read(permit, { columns, offset: firstRow, limit: rows, transient })) {
        read += batch.length;
        yield orCorrupt(file, () => conform(batch, fields));
      }
      if (read !== rows)
        throw new CorruptParquetError(
          file,
          `it has ${read} of the ${rows} rows that the catalog lists from row ${firstRow} on`,
        );
    }
  }
}

/** Bytes of files that are held between the two passes of a step. */
const HELD_BYTES = 1024 * 1024;

/** Small files that were read once: a quiet topic's second pass over a step's rows asks R2 for none of them again. */
export class FileEnds {
  readonly #held = new Map<string, Uint8Array>();
  #bytes = 0;

  async open(bucket: LakeWork["bucket"], file: string): Promise<TailedSource> {
    const held = this.#held.get(file);
    if (held !== undefined) return { ...bytesSource(file, held), [Symbol.dispose]: () => {} };
    const source = await tailedSource(bucket, file);
    if (source.size > HELD_BYTES - this.#bytes) return source;
    // A copy: the source frees what it read.
    const whole = (await source.read(0, source.size)).slice();
    this.#held.set(file, whole);
    this.#bytes += whole.length;
    return source;
  }
}

/** A file with columns that no flush of ours writes heals as little by itself as one that cannot be read. */
function orCorrupt<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof ColumnMismatchError)) throw error;
    throw new CorruptParquetError(file, error.message, { cause: error });
  }
}
