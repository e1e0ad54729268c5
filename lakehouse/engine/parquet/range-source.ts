/** An immutable object that is read by byte ranges: an R2 object, a file, bytes in memory. */
export interface RangeSource {
  /** What errors call it: a key, a path. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** Bytes `[start, end)`; `0 <= start <= end <= size`. Rejections reach the caller of the reader unchanged. */
  read(start: number, end: number): Promise<Uint8Array>;
  /** Takes the bytes of a read back, which nobody looks at any more; a source that has them elsewhere has no use for them. */
  release?(bytes: Uint8Array): void;
}

/** Bytes in memory as a source; reads give views, so the bytes must not change while it is in use. */
export function bytesSource(name: string, bytes: Uint8Array): RangeSource {
  return { name, size: bytes.length, read: async (start, end) => bytes.subarray(start, end) };
}

/**
 * A file is not Parquet, or not whole, or its pages cannot be decoded. `source` is the source's name; `cause` is the decoder's
 * error where it has one. Damage is found where it breaks the format: pages carry no checksum, so a changed digit can pass.
 */
export class CorruptParquetError extends Error {
  override readonly name = "CorruptParquetError";
  readonly source: string;

  constructor(source: string, detail: string, options?: ErrorOptions) {
    super(`${source} is not a readable Parquet file: ${detail}`, options);
    this.source = source;
  }
}

/** A source whose last bytes are held in memory: a small file, whose tail is all of it, costs one request in all. */
export function withTail(source: RangeSource, tail: Uint8Array): RangeSource {
  const tailStart = source.size - tail.length;
  return {
    name: source.name,
    size: source.size,
    read: async (start, end) => {
      if (start >= tailStart) return tail.subarray(start - tailStart, end - tailStart);
      return source.read(start, end);
    },
    release(bytes) {
      if (bytes.buffer !== tail.buffer) source.release?.(bytes);
    },
  };
}

/** Reads a range and checks that all of it came. Throws CorruptParquetError when the object is shorter than it said. */
export async function readExactly(source: RangeSource, start: number, end: number): Promise<Uint8Array> {
  const bytes = await source.read(start, end);
  if (bytes.length !== end - start) {
    throw new CorruptParquetError(source.name, `bytes ${start} to ${end} were asked for, ${bytes.length} came`);
  }
  return bytes;
}
