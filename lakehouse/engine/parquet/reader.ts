import { readSchema, readParquet as readTable } from "parquet-wasm/esm";
import type { Batch, Field } from "../columns/column.ts";
import { release, releaseBatch } from "../columns/release.ts";
import { decodeArrowSchema, decodeArrowStream } from "./arrow-read.ts";
import { type FileStatistics, fileStatistics } from "./column-statistics.ts";
import { emptyExcerpt, readExcerpt } from "./excerpt.ts";
import { type Footer, type FooterColumn, footerLength, parseFooter, TRAILER_BYTES } from "./footer.ts";
import { CorruptParquetError, type RangeSource, readExactly, withTail } from "./range-source.ts";
import { type ColumnRange, columnRange } from "./statistics.ts";
import { ThriftError } from "./thrift.ts";
import type { WasmPermit } from "./wasm.ts";

export { bytesSource, CorruptParquetError, type RangeSource } from "./range-source.ts";

/** Bytes fetched from the end of a file at once: the footer in nearly all cases, and all of a small file. */
const TAIL_BYTES = 128 * 1024;

/** Rows are decoded by portions of about this many uncompressed bytes, so that other writers' large row groups fit in memory. */
const DECODE_BYTES = 8 * 1024 * 1024;

export interface ParquetReadOptions {
  /** Top-level columns, in the order wanted; all, in the file's order, when absent. Empty: batches with a length and no column. */
  readonly columns?: readonly string[];
  /** Rows to skip, counted over the row groups read. */
  readonly offset?: number;
  /** Rows to read at most. */
  readonly limit?: number;
  /** Row groups to read, by index, in the order wanted; all when absent. */
  readonly rowGroups?: readonly number[];
  /** Rows of a batch at most. */
  readonly batchRows?: number;
  /** A batch's arrays stand until the next one is asked for, and are freed then; else as long as somebody has them. */
  readonly transient?: boolean;
}

export interface RowGroupInfo {
  readonly rows: number;
  /** The row group's first row, counted from the file's first. */
  readonly firstRow: number;
}

/** A Parquet file whose footer has been read. It holds no Wasm memory and needs no closing. */
export interface ParquetFile {
  readonly rows: number;
  readonly rowGroups: readonly RowGroupInfo[];
  readonly metadata: ReadonlyMap<string, string>;
  /** The top-level columns' names. */
  readonly columns: readonly string[];
  schema(permit: WasmPermit): Field[];
  /** What the footer says of a top-level column's values in a row group; undefined where it says nothing. */
  range(rowGroup: number, column: string): ColumnRange | undefined;
  /** What it says of the values of all row groups. */
  statistics(fields: readonly Field[]): FileStatistics;
  read(permit: WasmPermit, options?: ParquetReadOptions): AsyncGenerator<Batch, void, undefined>;
}

/**
 * Reads a file's footer. Throws CorruptParquetError; rejections of the source pass.
 *
 * `schema` and `read` throw what `permit.check` does, CorruptParquetError, UnsupportedArrowTypeError for a column type that ours
 * cannot hold, and a RangeError for a column or row group that the file has not. Between two batches no Wasm memory is held:
 * stopping early leaks nothing, and several files can be read in turns.
 */
export async function openParquet(source: RangeSource): Promise<ParquetFile> {
  const { footer, tail } = await readFooter(source);
  const whole = withTail(source, tail);
  let firstRow = 0;
  const rowGroups = footer.rowGroups.map(({ rows }) => {
    firstRow += rows;
    return { rows, firstRow: firstRow - rows };
  });
  return {
    rows: footer.rows,
    rowGroups,
    metadata: footer.metadata,
    columns: footer.columns.map((column) => column.name),
    schema: (permit) => schemaOf(permit, source.name, footer),
    range(rowGroup, name) {
      const group = footer.rowGroups[rowGroup];
      const column = footer.columns.find((candidate) => candidate.name === name);
      return group === undefined || column === undefined ? undefined : columnRange(group, column);
    },
    statistics: (fields) => fileStatistics(fields, footer.columns, footer.rowGroups),
    read: (permit, options = {}) => readRows(permit, whole, footer, options),
  };
}

/** The rows of a file, batch by batch (see `openParquet`). */
export async function* readParquet(
  permit: WasmPermit,
  source: RangeSource,
  options: ParquetReadOptions = {},
): AsyncGenerator<Batch, void, undefined> {
  const file = await openParquet(source);
  yield* file.read(permit, options);
}

/** The fields of a file (see `openParquet`). */
export async function readParquetSchema(permit: WasmPermit, source: RangeSource): Promise<Field[]> {
  return (await openParquet(source)).schema(permit);
}

/** The row groups of a file, without reading a row. The file's row count is the sum. Throws CorruptParquetError. */
export async function readRowGroups(source: RangeSource): Promise<readonly RowGroupInfo[]> {
  return (await openParquet(source)).rowGroups;
}

async function readFooter(source: RangeSource): Promise<{ footer: Footer; tail: Uint8Array }> {
  let tail = await readExactly(source, Math.max(0, source.size - TAIL_BYTES), source.size);
  return rejectAsCorrupt(source.name, async () => {
    const needed = footerLength(tail, source.size) + TRAILER_BYTES;
    if (needed > tail.length) tail = await readExactly(source, source.size - needed, source.size);
    const end = tail.length - TRAILER_BYTES;
    return { footer: parseFooter(tail.subarray(tail.length - needed, end)), tail };
  });
}

function schemaOf(permit: WasmPermit, name: string, footer: Footer): Field[] {
  permit.check();
  if (footer.columns.length === 0) return [];
  return decodeArrowSchema(decodeInWasm(name, () => readSchema(emptyExcerpt(footer, footer.columns)).intoIPCStream()));
}

async function* readRows(
  permit: WasmPermit,
  source: RangeSource,
  footer: Footer,
  options: ParquetReadOptions,
): AsyncGenerator<Batch, void, undefined> {
  permit.check();
  const { rowGroups = footer.rowGroups.keys(), batchRows = 8192, transient = false } = options;
  const columns = pickColumns(source.name, footer, options.columns);
  let skip = requireCount("offset", options.offset ?? 0);
  let left = options.limit === undefined ? Number.POSITIVE_INFINITY : requireCount("limit", options.limit);
  if (requireCount("batchRows", batchRows) === 0) throw new RangeError("batches of no rows");
  for (const index of rowGroups) {
    const group = footer.rowGroups[index];
    if (group === undefined) throw new RangeError(`${source.name} has no row group ${index}`);
    const from = Math.min(skip, group.rows);
    const to = Math.min(group.rows, from + left);
    skip -= from;
    left -= to - from;
    if (from === to) continue;
    if (columns.length === 0) yield* emptyBatches(to - from, batchRows);
    else yield* readGroup(permit, source, footer, index, columns, from, to, batchRows, transient);
  }
}

/** Rows `[from, to)` of a row group. All of a portion leaves Wasm as one Arrow stream before its first batch is given out. */
async function* readGroup(
  permit: WasmPermit,
  source: RangeSource,
  footer: Footer,
  index: number,
  columns: readonly FooterColumn[],
  from: number,
  to: number,
  batchRows: number,
  transient: boolean,
): AsyncGenerator<Batch, void, undefined> {
  const { name } = source;
  const excerpt = await rejectAsCorrupt(name, () => readExcerpt(source, footer, index, columns));
  const share = Math.min(1, DECODE_BYTES / Math.max(1, excerpt.uncompressedBytes));
  const portion = Math.max(1, Math.ceil((excerpt.rows * share) / batchRows)) * batchRows;
  for (let offset = from; offset < to; offset += portion) {
    const limit = Math.min(portion, to - offset);
    await permit.pause();
    permit.check();
    // `intoIPCStream` takes the table: nothing is left to free.
    const stream = decodeInWasm(name, () =>
      readTable(excerpt.bytes, { batchSize: batchRows, offset, limit }).intoIPCStream(),
    );
    let rows = 0;
    try {
      for (const batch of decodeArrowStream(stream)) {
        rows += batch.length;
        yield batch;
        // Marks of nulls and the like, which do not stand in the stream.
        if (transient) releaseBatch(batch, stream.buffer);
      }
    } finally {
      if (transient) release(stream);
    }
    if (rows !== limit) throw new CorruptParquetError(name, `row group ${index} has fewer rows than its footer says`);
  }
  release(excerpt.bytes);
}

function* emptyBatches(rows: number, batchRows: number): Generator<Batch> {
  for (let left = rows; left > 0; left -= batchRows) {
    yield { fields: [], columns: [], length: Math.min(left, batchRows) };
  }
}

function pickColumns(name: string, footer: Footer, wanted: readonly string[] | undefined): readonly FooterColumn[] {
  if (wanted === undefined) return footer.columns;
  return wanted.map((column) => {
    const found = footer.columns.find((candidate) => candidate.name === column);
    if (found === undefined) throw new RangeError(`${name} has no column ${column}`);
    return found;
  });
}

function requireCount(what: string, value: number): number {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${what} must be a whole number, not ${value}`);
  return value;
}

/** Whatever the decoder throws on the bytes of a file, its traps (WebAssembly.RuntimeError) included, is the file's fault. */
function decodeInWasm<T>(name: string, decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    throw new CorruptParquetError(name, error instanceof Error ? error.message : String(error), { cause: error });
  }
}

async function rejectAsCorrupt<T>(name: string, parse: () => Promise<T>): Promise<T> {
  try {
    return await parse();
  } catch (error) {
    if (error instanceof ThriftError) throw new CorruptParquetError(name, error.message, { cause: error });
    throw error;
  }
}
