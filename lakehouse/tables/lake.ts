/** Reading the lake's Parquet objects from R2. */

import { release } from "../engine/columns/release.ts";
import { withTail } from "../engine/parquet/range-source.ts";
import type { RangeSource } from "../engine/parquet/reader.ts";
import type { WasmPermit } from "../engine/parquet/wasm.ts";

/** What builders need of a bucket. */
export type LakeBucket = Pick<R2Bucket, "get" | "head" | "put">;

/** The lake for work with rows: the permit lasts as long as the work. */
export interface LakeWork {
  readonly bucket: LakeBucket;
  readonly permit: WasmPermit;
}

/** A file that the catalog lists is not in the bucket: nothing can be built from it, and nothing may pretend so. */
export class MissingObjectError extends Error {
  override readonly name = "MissingObjectError";
}

/** An immutable object as a range source. Throws `MissingObjectError` when the bucket does not have it. */
export async function objectSource(bucket: LakeBucket, key: string): Promise<RangeSource> {
  const head = await bucket.head(key);
  if (head === null) throw new MissingObjectError(`${key} is listed in the catalog but is not in the bucket`);
  return sizedSource(bucket, key, head.size);
}

/** The same for an object whose size in bytes is known: no HEAD. A read throws `MissingObjectError` when the bucket does not have it. */
export function sizedSource(bucket: Pick<LakeBucket, "get">, key: string, size: number): RangeSource {
  return {
    name: key,
    size,
    async read(start, end) {
      const object = await bucket.get(key, { range: { offset: start, length: end - start } });
      if (object === null) throw new MissingObjectError(`${key} vanished while it was read`);
      return new Uint8Array(await object.arrayBuffer());
    },
    release,
  };
}

/** Bytes of a file's end that come when it is opened: a flush's file is seldom longer. */
const TAIL_BYTES = 2 * 1024 * 1024;

/**
 * As `objectSource`, with the object's end in memory, for who reads most of it: R2 bills a read whatever its length, so a small file costs
 * one, and a large one is spared the HEAD and the reads of its footer.
 */
export async function tailedSource(bucket: Pick<LakeBucket, "get">, key: string): Promise<TailedSource> {
  const object = await bucket.get(key, { range: { suffix: TAIL_BYTES } });
  if (object === null) throw new MissingObjectError(`${key} is listed in the catalog but is not in the bucket`);
  const tail = new Uint8Array(await object.arrayBuffer());
  return { ...withTail(sizedSource(bucket, key, object.size), tail), [Symbol.dispose]: () => release(tail) };
}

/** To be disposed by who reads many of them; else its end waits for a collection. */
export interface TailedSource extends RangeSource, Disposable {}
