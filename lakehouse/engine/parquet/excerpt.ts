import {
  CHUNK,
  CHUNK_METADATA,
  chunkRange,
  count,
  ELEMENT,
  encodeFooter,
  FILE,
  type Footer,
  type FooterColumn,
  GROUP,
  MAGIC,
} from "./footer.ts";
import { type RangeSource, readExactly } from "./range-source.ts";
import {
  structField,
  structsField,
  ThriftError,
  type ThriftStruct,
  type ThriftValue,
  thriftInt,
  thriftStructs,
  withThriftFields,
} from "./thrift.ts";

/** Two chunks at most this far apart are fetched at once: a request costs more than the bytes between (about 10 ms at 20 MB/s). */
const COALESCE_BYTES = 256 * 1024;

/** A row group with some of its columns, as a complete Parquet file. */
export interface Excerpt {
  readonly bytes: Uint8Array;
  readonly rows: number;
  /** Size of the columns' pages once decompressed, in bytes. */
  readonly uncompressedBytes: number;
}

/**
 * Fetches the chunks of `columns` in one row group, by as few ranges as sensible, and makes a file of them. What speaks of the
 * original file goes: page indexes, Bloom filters, statistics, and the Arrow schema, so that types come from Parquet's own.
 * Throws ThriftError when the footer points outside the file; rejections of the source pass.
 */
export async function readExcerpt(
  source: RangeSource,
  footer: Footer,
  groupIndex: number,
  columns: readonly FooterColumn[],
): Promise<Excerpt> {
  const group = footer.rowGroups[groupIndex];
  if (group === undefined) throw new RangeError(`${source.name} has no row group ${groupIndex}`);
  const chunks = columns.flatMap((column) => group.chunks.slice(column.firstLeaf, column.firstLeaf + column.leaves));
  const ranges = chunks.map(chunkRange);
  const dataBytes = ranges.reduce((total, range) => total + range.end - range.start, 0);
  const moved: ThriftStruct[] = [];
  const starts: number[] = [];
  let at = MAGIC.length;
  let uncompressedBytes = 0;
  for (const [i, range] of ranges.entries()) {
    if (range.end > source.size) throw new ThriftError("a column chunk lies beyond the end of the file");
    // One range per chunk.
    moved.push(movedChunk(chunks[i]!, at - range.start));
    uncompressedBytes += count(structField(chunks[i]!, CHUNK.metadata), CHUNK_METADATA.uncompressedBytes);
    starts.push(at);
    at += range.end - range.start;
  }
  const rowGroup: ThriftStruct = {
    kind: "struct",
    fields: new Map<number, ThriftValue>([
      [GROUP.chunks, thriftStructs(moved)],
      [GROUP.bytes, thriftInt("i64", uncompressedBytes)],
      [GROUP.rows, thriftInt("i64", group.rows)],
    ]),
  };
  const end = encodeFooter(projectedFooter(footer, columns, [rowGroup], group.rows));
  const bytes = new Uint8Array(MAGIC.length + dataBytes + end.length);
  bytes.set(MAGIC);
  bytes.set(end, MAGIC.length + dataBytes);
  for (const fetch of coalesce(ranges)) {
    const part = await readExactly(source, fetch.start, fetch.end);
    for (const i of fetch.members) {
      // Members are indices of ranges.
      const range = ranges[i]!;
      bytes.set(part.subarray(range.start - fetch.start, range.end - fetch.start), starts[i]!);
    }
    source.release?.(part);
  }
  return { bytes, rows: group.rows, uncompressedBytes };
}

/** A file of `columns` without rows: what the decoder needs to tell their types. */
export function emptyExcerpt(footer: Footer, columns: readonly FooterColumn[]): Uint8Array {
  const end = encodeFooter(projectedFooter(footer, columns, [], 0));
  const bytes = new Uint8Array(MAGIC.length + end.length);
  bytes.set(MAGIC);
  bytes.set(end, MAGIC.length);
  return bytes;
}

function projectedFooter(
  footer: Footer,
  columns: readonly FooterColumn[],
  rowGroups: readonly ThriftStruct[],
  rows: number,
): ThriftStruct {
  const root = withThriftFields(footer.root, [[ELEMENT.children, thriftInt("i32", columns.length)]]);
  const orders = structsField(footer.struct, FILE.columnOrders);
  const keptOrders = columns.flatMap((column) => orders.slice(column.firstLeaf, column.firstLeaf + column.leaves));
  return withThriftFields(footer.struct, [
    [FILE.schema, thriftStructs([root, ...columns.flatMap((column) => column.elements)])],
    [FILE.rows, thriftInt("i64", rows)],
    [FILE.rowGroups, thriftStructs(rowGroups)],
    [FILE.keyValues, undefined],
    [FILE.columnOrders, orders.length === 0 ? undefined : thriftStructs(keptOrders)],
  ]);
}

function movedChunk(chunk: ThriftStruct, by: number): ThriftStruct {
  const metadata = structField(chunk, CHUNK.metadata);
  return withThriftFields(chunk, [
    [CHUNK.metadata, movedMetadata(metadata, by)],
    [CHUNK.fileOffset, thriftInt("i64", 0)],
    [CHUNK.offsetIndex, undefined],
    [CHUNK.offsetIndexLength, undefined],
    [CHUNK.columnIndex, undefined],
    [CHUNK.columnIndexLength, undefined],
  ]);
}

function movedMetadata(metadata: ThriftStruct, by: number): ThriftStruct {
  const dictionaryPage = metadata.fields.get(CHUNK_METADATA.dictionaryPage);
  const hasDictionary = dictionaryPage?.kind === "int" && dictionaryPage.value > 0;
  return withThriftFields(metadata, [
    [CHUNK_METADATA.dataPage, thriftInt("i64", count(metadata, CHUNK_METADATA.dataPage) + by)],
    [CHUNK_METADATA.dictionaryPage, hasDictionary ? thriftInt("i64", dictionaryPage.value + by) : undefined],
    [CHUNK_METADATA.indexPage, undefined],
    [CHUNK_METADATA.statistics, undefined],
    [CHUNK_METADATA.bloomFilter, undefined],
    [CHUNK_METADATA.bloomFilterLength, undefined],
    [CHUNK_METADATA.sizeStatistics, undefined],
  ]);
}

interface Fetch {
  readonly start: number;
  end: number;
  readonly members: number[];
}

/** Ranges, in the order of the file, joined where they are near each other. */
function coalesce(ranges: readonly { readonly start: number; readonly end: number }[]): Fetch[] {
  const fetches: Fetch[] = [];
  const order = ranges.map((range, i) => ({ ...range, i })).sort((left, right) => left.start - right.start);
  for (const { start, end, i } of order) {
    const last = fetches.at(-1);
    if (last !== undefined && start - last.end <= COALESCE_BYTES) {
      last.end = Math.max(last.end, end);
      last.members.push(i);
    } else {
      fetches.push({ start, end, members: [i] });
    }
  }
  return fetches;
}
