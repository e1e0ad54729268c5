/**
 * The codecs of Avro container files (specification 1.12, "Required Codecs" and "Optional Codecs"). What a block becomes is
 * bounded before it is allocated: a few kilobytes may stand for gigabytes.
 */
import { crc32, inflateRawSync, zstdDecompressSync } from "node:zlib";
import { uncompress } from "snappyjs";

/** A block's data; throws `RangeError` if it would have more than `maxBytes`, and any other error if it is no such data. */
type Decompress = (block: Uint8Array, maxBytes: number) => Uint8Array;

const CODECS: ReadonlyMap<string, Decompress> = new Map<string, Decompress>([
  ["null", (block) => block],
  // Python's writers leave bytes of zlib's checksum behind the last deflate block: inflating ends before them, as every
  // reader's does.
  ["deflate", (block, maxBytes) => inflateRawSync(block, { maxOutputLength: maxBytes })],
  ["snappy", unsnap],
  ["zstandard", (block, maxBytes) => zstdDecompressSync(block, { maxOutputLength: maxBytes })],
]);

/** For error texts. */
export const CODEC_NAMES: readonly string[] = [...CODECS.keys()];

/** The codec that a file's header names; undefined if it is none that is taken. */
export function codecOf(name: string): Decompress | undefined {
  return CODECS.get(name);
}

const CRC_BYTES = 4;

/** Raw snappy, then the CRC-32 of what was compressed, big-endian. Raw snappy begins with the length of that. */
function unsnap(block: Uint8Array, maxBytes: number): Uint8Array {
  const end = block.byteLength - CRC_BYTES;
  if (end < 1) throw new Error("no room for a checksum");
  // A plain Uint8Array: the library answers in the kind that it is given.
  const snapped = new Uint8Array(block.buffer, block.byteOffset, end);
  if (snappedLength(snapped) > maxBytes) throw new RangeError(`more than ${maxBytes} bytes`);
  const data = uncompress(snapped);
  const expected = new DataView(block.buffer, block.byteOffset, block.byteLength).getUint32(end);
  // The library does not say when there is less data than the length claims; the checksum does.
  if (crc32(data) !== expected) throw new Error("another checksum");
  return data;
}

/** The varint at the beginning (snappy format description, section 1): at most 32 bits, infinite if it has more. */
function snappedLength(snapped: Uint8Array): number {
  let length = 0;
  for (let at = 0; at < 5; at++) {
    const byte = snapped[at] ?? 0;
    length += (byte & 0x7f) * 128 ** at;
    if (byte < 0x80) return length;
  }
  return Number.POSITIVE_INFINITY;
}
