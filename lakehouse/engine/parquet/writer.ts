import {
  Compression,
  EnabledStatistics,
  Table,
  type WriterProperties,
  WriterPropertiesBuilder,
  writeParquet as writeTable,
} from "parquet-wasm/esm";
import { keepShape } from "../../../schemas/kept-shape.ts";
import { batchByteLength } from "../columns/byte-length.ts";
import type { Batch, Column, Field } from "../columns/column.ts";
import { sameType, typeName } from "../columns/column-kind.ts";
import { sliceBatch } from "../columns/slice.ts";
import { ArrowStream } from "./arrow-write.ts";
import type { FileStatistics } from "./column-statistics.ts";
import { IpcSink } from "./ipc-sink.ts";
import { ParquetJoin } from "./join.ts";
import { permitOfProcess, type WasmPermit } from "./wasm.ts";

/**
 * Record batches handed to parquet-wasm have at most this many rows. Half as many take 2 to 12 % more of a flush's CPU, and 2 MB less; one
 * for a whole row group gains no more (`npm run bench -- flush`).
 */
const WRITE_BATCH_ROWS = 16_384;

/** A row group's columns take at most this many bytes before encoding and compression, save when a single row takes more. */
export const ROW_GROUP_BYTES = 4 * 1024 * 1024;

export interface ParquetFileOptions {
  /** The columns of each batch. */
  readonly fields: readonly Field[];
  /**
   * Columns with few distinct values, by top-level name. parquet-wasm cannot name a nested leaf: naming a list or struct turns the
   * dictionary on for the leaves of every list and struct of the file. Others are written plain, which is three times faster.
   */
  readonly dictionaryColumns?: readonly string[];
  /**
   * Columns by which the rows are in order, by top-level name, the first one first; ascending, nulls last, texts by their UTF-8
   * bytes. Every row group's footer says so (`sorting_columns`): readers rely on it, so rows in another order would be lost to them.
   */
  readonly sortedBy?: readonly string[];
  /** A row group ends after this many rows, if not before. */
  readonly rowGroupRows?: number;
  /** Rows, counted from the file's first, with which a row group must start; ascending. */
  readonly rowGroupStarts?: readonly number[];
  /** Added to the footer's key-value metadata. */
  readonly metadata?: Readonly<Record<string, string>>;
}

export interface ParquetWriteOptions extends ParquetFileOptions {
  readonly batches: Iterable<Batch> | AsyncIterable<Batch>;
}

/**
 * Writes rows as one Parquet file: ZSTD, row groups of at most ROW_GROUP_BYTES; without rows, the
 * schema alone. Only the encodings of Parquet's first version, which every reader knows: writing the lengths of ids apart from their
 * bytes, and times as differences, would take 4 to 6 % of the bytes and a tenth of a flush's CPU less (`npm run bench -- flush`), but
 * fastparquet, Spark before 3.4 and Iceberg's vectorized reader could not read it. Every column has its bounds and the count of its
 * nulls, save doubles where one is NaN, and what is in lists and structs: fastparquet takes the leaves' statistics for those of
 * columns, and would fail on integers with nulls behind a list.
 * Equal batches give equal bytes. Nothing of it stays in Wasm memory between two batches.
 * Throws a TypeError or RangeError, naming the column, for a batch that is not of `fields` (see `encodeArrowStream`), and a RangeError
 * for a column that is named but unknown; what `permit.check` throws.
 */
export async function writeParquet(permit: WasmPermit, options: ParquetWriteOptions): Promise<Uint8Array> {
  const writer = createParquetWriter(permit, options);
  for await (const batch of options.batches) writer.add(batch);
  return writer.finish();
}

/**
 * The same, batch by batch, for who cannot give all of them in one stream. Who writes several files one after the other gives them one
 * `sink`, which has room for a row group. Throws as `writeParquet` does, from whichever call meets the fault.
 */
export function createParquetWriter(
  permit: WasmPermit,
  options: ParquetFileOptions,
  sink: IpcSink = new IpcSink(),
): ParquetWriter {
  permit.check();
  requireKnown(options);
  return new ParquetWriter(permit, options, sink);
}

/** Gathers batches into row groups, and compresses each as it is full. What is added is copied: its arrays may change, or be freed. */
class ParquetWriter {
  readonly #permit: WasmPermit;
  readonly #options: ParquetFileOptions;
  readonly #join: ParquetJoin;
  readonly #starts: readonly number[];
  readonly #sink: IpcSink;
  #nextStart = 0;
  #written = 0;
  /** The row group under way. */
  #pending: ArrowStream | undefined;
  #pendingRows = 0;
  #pendingBytes = 0;
  /** By column, whether one of its doubles is NaN. */
  #hasNaN: boolean[] = [];

  constructor(permit: WasmPermit, options: ParquetFileOptions, sink: IpcSink) {
    this.#permit = permit;
    this.#options = options;
    this.#sink = sink;
    this.#join = new ParquetJoin(options.sortedBy);
    this.#starts = options.rowGroupStarts ?? [];
  }

  /** Rows so far. */
  get rows(): number {
    return this.#written + this.#pendingRows;
  }

  /** Bytes of the row groups that are full: what the file takes, but for the row group under way and the footer. */
  get bytes(): number {
    return this.#join.bytes;
  }

  add(batch: Batch): void {
    requireFields(this.#options.fields, batch);
    for (let from = 0; from < batch.length; ) {
      const room = this.#rowsLeft();
      if (room === 0) {
        this.#flush();
        continue;
      }
      let to = Math.min(batch.length, from + Math.min(room, WRITE_BATCH_ROWS));
      let piece = sliceBatch(batch, from, to);
      let bytes = batchByteLength(piece);
      if (this.#pendingRows > 0 && this.#pendingBytes + bytes > ROW_GROUP_BYTES) {
        this.#flush();
        continue;
      }
      while (bytes > ROW_GROUP_BYTES && to - from > 1) {
        to = from + ((to - from) >> 1);
        piece = sliceBatch(batch, from, to);
        bytes = batchByteLength(piece);
      }
      this.#pending ??= new ArrowStream(this.#options.fields, this.#sink);
      this.#pending.add(piece);
      for (const [i, column] of piece.columns.entries()) this.#hasNaN[i] ||= hasNaN(column);
      this.#pendingRows += piece.length;
      this.#pendingBytes += bytes;
      from = to;
    }
  }

  finish(): Uint8Array {
    if (this.#pendingRows > 0 || this.#written === 0) this.#flush();
    return this.#join.finish(this.#options.metadata ?? {});
  }

  /** What the file says of its columns; after `finish`. */
  statistics(): FileStatistics {
    return this.#join.statistics(this.#options.fields);
  }

  /** Rows that the row group under way may still take; 0 when a boundary is reached. */
  #rowsLeft(): number {
    const row = this.#written + this.#pendingRows;
    let start = this.#starts[this.#nextStart];
    while (start !== undefined && start <= this.#written) start = this.#starts[++this.#nextStart];
    const untilStart = start === undefined ? Number.POSITIVE_INFINITY : Math.max(0, start - row);
    return Math.min((this.#options.rowGroupRows ?? Number.POSITIVE_INFINITY) - this.#pendingRows, untilStart);
  }

  #flush(): void {
    this.#permit.check();
    const pending = this.#pending ?? new ArrowStream(this.#options.fields, this.#sink);
    const table = Table.fromIPCStream(pending.finish());
    // Takes the table and the properties: nothing is left to free, whether it throws or not.
    const file = writeTable(table, writerProperties(this.#options, this.#hasNaN, this.#pendingRows));
    this.#join.add(file, this.#pendingRows);
    this.#written += this.#pendingRows;
    this.#pending = undefined;
    this.#hasNaN = [];
    this.#pendingRows = 0;
    this.#pendingBytes = 0;
  }
}

const oneField = [{ name: "", type: { kind: "bool" }, nullable: false }] as const;
keepShape(new ParquetWriter(permitOfProcess(), { fields: oneField }, new IpcSink()));

/** Each setter consumes the builder and gives another one. */
function writerProperties(options: ParquetFileOptions, withNaN: readonly boolean[], rows: number): WriterProperties {
  const { fields, dictionaryColumns = [] } = options;
  const named = new Set(dictionaryColumns);
  const nestedDictionary = fields.some((field) => isNested(field) && named.has(field.name));
  let builder = new WriterPropertiesBuilder()
    .setCompression(Compression.ZSTD)
    .setStatisticsEnabled(EnabledStatistics.None)
    .setDictionaryEnabled(nestedDictionary)
    .setMaxRowGroupSize(Math.max(1, rows));
  for (const [i, field] of fields.entries()) {
    if (!isNested(field) && withNaN[i] !== true)
      builder = builder.setColumnStatisticsEnabled(field.name, EnabledStatistics.Chunk);
    if (isNested(field) || named.has(field.name) === nestedDictionary) continue;
    builder = builder.setColumnDictionaryEnabled(field.name, named.has(field.name));
  }
  return builder.build();
}

/**
 * parquet-wasm leaves NaN out of a column's bounds, so bounds beside a NaN are wrong for every engine to which NaN is the greatest
 * value (DuckDB, Spark, Iceberg): looking for what is above the maximum, it would skip the row group.
 */
function hasNaN(column: Column): boolean {
  return column.kind === "float64" && column.values.some(Number.isNaN);
}

function isNested({ type }: Field): boolean {
  return type.kind === "list" || type.kind === "struct";
}

function requireKnown({
  fields,
  dictionaryColumns = [],
  sortedBy = [],
  rowGroupRows = 1,
  rowGroupStarts = [],
}: ParquetFileOptions): void {
  if (fields.length === 0) throw new RangeError("a Parquet file needs a column");
  const byName = new Map(fields.map((field) => [field.name, field]));
  for (const name of [...dictionaryColumns, ...sortedBy]) {
    if (!byName.has(name)) throw new RangeError(`no column ${name} to write in a way of its own`);
  }
  for (const name of sortedBy) {
    const field = byName.get(name);
    if (field !== undefined && isNested(field))
      throw new RangeError(`column ${name} is nested: rows have no order by it`);
  }
  if (!Number.isInteger(rowGroupRows) || rowGroupRows < 1) throw new RangeError(`row groups of ${rowGroupRows} rows`);
  for (const [i, start] of rowGroupStarts.entries()) {
    if (!Number.isInteger(start) || start < (rowGroupStarts[i - 1] ?? 0)) {
      throw new RangeError(
        `row group starts must be whole numbers in ascending order, not ${rowGroupStarts.join(", ")}`,
      );
    }
  }
}

function requireFields(fields: readonly Field[], batch: Batch): void {
  if (batch.fields === fields) return;
  const matches =
    batch.fields.length === fields.length &&
    fields.every((field, i) => {
      const other = batch.fields[i];
      return other !== undefined && field.name === other.name && sameType(field.type, other.type);
    });
  if (matches) return;
  const text = (list: readonly Field[]) => list.map((field) => `${field.name} ${typeName(field.type)}`).join(", ");
  throw new TypeError(`a batch of (${text(batch.fields)}) in a file of (${text(fields)})`);
}
