/** What a row group's footer says of a column's values, so that readers skip groups that cannot hold what they look for. */
import { CHUNK, CHUNK_METADATA, type FooterColumn, type FooterRowGroup } from "./footer.ts";
import { structField, type ThriftStruct } from "./thrift.ts";

/** Bounds of the values that are not null, in Parquet's plain encoding; a text's may be cut, and still bound it. */
export interface ColumnRange {
  readonly min: Uint8Array;
  readonly max: Uint8Array;
}

/** Field ids of `Statistics` in parquet.thrift; the older pair (1, 2) has no defined order and is not read. */
const STATISTICS = { max: 5, min: 6 } as const;

/** The range of a column of one leaf in a row group; undefined where the writer left none. */
export function columnRange(group: FooterRowGroup, column: FooterColumn): ColumnRange | undefined {
  const chunk = column.leaves === 1 ? group.chunks[column.firstLeaf] : undefined;
  if (chunk === undefined) return undefined;
  const metadata = structField(chunk, CHUNK.metadata);
  if (!metadata.fields.has(CHUNK_METADATA.statistics)) return undefined;
  const statistics = structField(metadata, CHUNK_METADATA.statistics);
  const min = bytesOf(statistics, STATISTICS.min);
  const max = bytesOf(statistics, STATISTICS.max);
  return min === undefined || max === undefined ? undefined : { min, max };
}

/** A range of 64-bit integers, timestamps included; undefined if the bounds are of another width. */
export function int64Range(range: ColumnRange | undefined): { readonly min: bigint; readonly max: bigint } | undefined {
  if (range === undefined || range.min.length !== 8 || range.max.length !== 8) return undefined;
  return { min: int64(range.min), max: int64(range.max) };
}

/** Whether a text may lie in a range; true where there is none. UTF-8's order of bytes is that of code points, as in the statistics. */
export function mayHold(range: ColumnRange | undefined, text: string): boolean {
  if (range === undefined) return true;
  const bytes = Buffer.from(text);
  return Buffer.compare(bytes, range.min) >= 0 && Buffer.compare(bytes, range.max) <= 0;
}

function int64(bytes: Uint8Array): bigint {
  return new DataView(bytes.buffer, bytes.byteOffset, 8).getBigInt64(0, true);
}

function bytesOf(struct: ThriftStruct, id: number): Uint8Array | undefined {
  const value = struct.fields.get(id);
  return value?.kind === "binary" ? value.bytes : undefined;
}
