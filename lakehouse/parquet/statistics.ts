/** The statistics of a column chunk: what cannot be in a row group need not be read. */
import { CHUNK, CHUNK_METADATA } from "./footer.ts";
import { structField, type ThriftStruct } from "./thrift.ts";

/** Field ids of `Statistics` in parquet.thrift. The older `min` and `max` (2, 1) say nothing of their order and are not read. */
const STATISTICS = { maxValue: 5, minValue: 6 } as const;

/** The least and greatest value of a chunk in their plain encoding, nulls aside. A long text may be cut: the bounds still hold. */
export interface ColumnBounds {
  readonly min: Uint8Array;
  readonly max: Uint8Array;
}

/** Undefined where the writer gave none. Throws ThriftError when the chunk is not one. */
export function boundsOf(chunk: ThriftStruct): ColumnBounds | undefined {
  const metadata = structField(chunk, CHUNK.metadata);
  if (!metadata.fields.has(CHUNK_METADATA.statistics)) return undefined;
  const { fields } = structField(metadata, CHUNK_METADATA.statistics);
  const min = fields.get(STATISTICS.minValue);
  const max = fields.get(STATISTICS.maxValue);
  if (min?.kind !== "binary" || max?.kind !== "binary") return undefined;
  return { min: min.bytes, max: max.bytes };
}

/** Whether a text can be in a chunk: UTF-8 is ordered by its bytes, unsigned. Without bounds it can. */
export function mayHoldText(bounds: ColumnBounds | undefined, text: string): boolean {
  if (bounds === undefined) return true;
  const bytes = Buffer.from(text);
  return Buffer.compare(bytes, bounds.min) >= 0 && Buffer.compare(bytes, bounds.max) <= 0;
}

/** Whether one of the values can be in a chunk of 64-bit integers. Without bounds it can. */
export function mayHoldInt64(bounds: ColumnBounds | undefined, values: readonly bigint[]): boolean {
  if (bounds === undefined || bounds.min.length !== 8 || bounds.max.length !== 8) return true;
  const [min, max] = [int64(bounds.min), int64(bounds.max)];
  return values.some((value) => value >= min && value <= max);
}

function int64(bytes: Uint8Array): bigint {
  return new DataView(bytes.buffer, bytes.byteOffset).getBigInt64(0, true);
}
