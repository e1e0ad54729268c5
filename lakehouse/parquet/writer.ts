import {
  Compression,
  EnabledStatistics,
  Encoding,
  Table,
  type WriterProperties,
  WriterPropertiesBuilder,
  writeParquet as writeTable,
} from "parquet-wasm/esm";
import { keepShape } from "../../schemas/kept-shape.ts";
import { batchByteLength } from "../columns/byte-length.ts";
import type { Batch, Field } from "../columns/column.ts";
import { sameType, typeName } from "../columns/column-kind.ts";
import { sliceBatch } from "../columns/slice.ts";
import { encodeArrowStream } from "./arrow-write.ts";
import { IpcSink } from "./ipc-sink.ts";
import { ParquetJoin } from "./join.ts";
import { requireParquetWasm } from "./wasm.ts";

/** Record batches handed to parquet-wasm have at most this many rows: one for a whole row group takes 3 % less CPU and 6 MB more (`npm run bench -- flush`). */
const WRITE_BATCH_ROWS = 8_192;

/** A row group's columns take at most this many bytes before encoding and compression, save when a single row takes more. */
export const ROW_GROUP_BYTES = 4 * 1024 * 1024;

export interface ParquetWriteOptions {
  readonly fields: readonly Field[];
  /** Each with the columns of `fields`. */
  readonly batches: Iterable<Batch> | AsyncIterable<Batch>;
  /**
   * Columns with few distinct values, by top-level name. parquet-wasm cannot name a nested leaf: naming a list or struct turns the
   * dictionary on for the leaves of every list and struct of the file. Others are written plain, which is three times faster.
   */
  readonly dictionaryColumns?: readonly string[];
  /**
   * Text columns whose values nearly all differ, such as ids, by top-level name. Their lengths stand apart from their bytes: ZSTD
   * takes half the time and makes them smaller, since it finds no false repeats.
   */
  readonly distinctColumns?: readonly string[];
  /**
   * Columns of integers or times whose neighbours differ by little, by top-level name: written as differences. As for those that are
   * distinct, parquet-wasm takes a megabyte for each: name the few that gain.
   */
  readonly deltaColumns?: readonly string[];
  /** Columns with statistics (bounds and nulls of each row group), by top-level name; all, nested ones included, if not given. */
  readonly statisticsColumns?: readonly string[];
  /** A row group ends after this many rows, if not before. */
  readonly rowGroupRows?: number;
  /** Rows, counted from the file's first, with which a row group must start; ascending. */
  readonly rowGroupStarts?: readonly number[];
  /** Added to the footer's key-value metadata. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * Writes rows as one Parquet file: ZSTD, row groups of at most ROW_GROUP_BYTES; without rows, the
 * schema alone. Equal batches give equal bytes. Nothing of it stays in Wasm memory between two batches.
 * Throws a TypeError or RangeError, naming the column, for a batch that is not of `fields` (see `encodeArrowStream`), and a RangeError
 * for a column that is named but unknown, or cannot be written as asked; ParquetWasmNotInstalledError. Call it while holding the permit of `tryAcquireWasm`.
 */
export async function writeParquet(options: ParquetWriteOptions): Promise<Uint8Array> {
  requireParquetWasm();
  requireKnown(options);
  const join = new ParquetJoin();
  const groups = new RowGroups(options, join);
  for await (const batch of options.batches) groups.add(batch);
  return groups.finish();
}

/** Gathers batches into row groups, and writes each as it is full. */
class RowGroups {
  readonly #options: ParquetWriteOptions;
  readonly #join: ParquetJoin;
  readonly #starts: readonly number[];
  readonly #sink = new IpcSink();
  #nextStart = 0;
  #written = 0;
  #pending: Batch[] = [];
  #pendingRows = 0;
  #pendingBytes = 0;

  constructor(options: ParquetWriteOptions, join: ParquetJoin) {
    this.#options = options;
    this.#join = join;
    this.#starts = options.rowGroupStarts ?? [];
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
      this.#pending.push(piece);
      this.#pendingRows += piece.length;
      this.#pendingBytes += bytes;
      from = to;
    }
  }

  finish(): Uint8Array {
    if (this.#pendingRows > 0 || this.#written === 0) this.#flush();
    return this.#join.finish(this.#options.metadata ?? {});
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
    const table = Table.fromIPCStream(encodeArrowStream(this.#options.fields, this.#pending, this.#sink));
    // Takes the table and the properties: nothing is left to free, whether it throws or not.
    const file = writeTable(table, writerProperties(this.#options, this.#pendingRows));
    this.#join.add(file, this.#pendingRows);
    this.#written += this.#pendingRows;
    this.#pending = [];
    this.#pendingRows = 0;
    this.#pendingBytes = 0;
  }
}

keepShape(new RowGroups({ fields: [], batches: [] }, new ParquetJoin()));

/** Each setter consumes the builder and gives another one. */
function writerProperties(options: ParquetWriteOptions, rows: number): WriterProperties {
  const { fields, dictionaryColumns = [], distinctColumns = [], deltaColumns = [], statisticsColumns } = options;
  const named = new Set(dictionaryColumns);
  const nestedDictionary = fields.some((field) => isNested(field) && named.has(field.name));
  let builder = new WriterPropertiesBuilder()
    .setCompression(Compression.ZSTD)
    .setStatisticsEnabled(statisticsColumns === undefined ? EnabledStatistics.Chunk : EnabledStatistics.None)
    .setDictionaryEnabled(nestedDictionary)
    .setMaxRowGroupSize(Math.max(1, rows));
  for (const name of statisticsColumns ?? [])
    builder = builder.setColumnStatisticsEnabled(name, EnabledStatistics.Chunk);
  for (const field of fields) {
    if (isNested(field) || named.has(field.name) === nestedDictionary) continue;
    builder = builder.setColumnDictionaryEnabled(field.name, named.has(field.name));
  }
  for (const name of distinctColumns) builder = builder.setColumnEncoding(name, Encoding.DELTA_LENGTH_BYTE_ARRAY);
  for (const name of deltaColumns) builder = builder.setColumnEncoding(name, Encoding.DELTA_BINARY_PACKED);
  return builder.build();
}

function isNested({ type }: Field): boolean {
  return type.kind === "list" || type.kind === "struct";
}

function requireKnown({
  fields,
  dictionaryColumns = [],
  distinctColumns = [],
  deltaColumns = [],
  statisticsColumns = [],
  rowGroupRows = 1,
  rowGroupStarts = [],
}: ParquetWriteOptions): void {
  if (fields.length === 0) throw new RangeError("a Parquet file needs a column");
  const types = new Map(fields.map(({ name, type }) => [name, type.kind]));
  for (const name of [...dictionaryColumns, ...distinctColumns, ...deltaColumns, ...statisticsColumns]) {
    if (!types.has(name)) throw new RangeError(`no column ${name} to write in a way of its own`);
  }
  requireKind(types, distinctColumns, ["utf8"], "distinct texts");
  requireKind(types, deltaColumns, ["int32", "int64", "timestamp"], "differences");
  if (!Number.isInteger(rowGroupRows) || rowGroupRows < 1) throw new RangeError(`row groups of ${rowGroupRows} rows`);
  for (const [i, start] of rowGroupStarts.entries()) {
    if (!Number.isInteger(start) || start < (rowGroupStarts[i - 1] ?? 0)) {
      throw new RangeError(
        `row group starts must be whole numbers in ascending order, not ${rowGroupStarts.join(", ")}`,
      );
    }
  }
}

function requireKind(
  types: ReadonlyMap<string, string>,
  names: readonly string[],
  kinds: readonly string[],
  what: string,
): void {
  for (const name of names) {
    const kind = types.get(name) ?? "";
    if (!kinds.includes(kind)) throw new RangeError(`column ${name} is ${kind} and cannot be written as ${what}`);
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
