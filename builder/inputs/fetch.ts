/** Brings all inputs of an order to disk, several at once; what the cache holds is not fetched. */
import { atOnce } from "../at-once.ts";
import type { CachedFile, InputCache } from "./cache.ts";
import { download, type ReadInput } from "./download.ts";

/** One line rarely fills the way to object storage; more than a few share it. */
const AT_ONCE = 6;

export interface FetchInputs {
  readonly cache: InputCache;
  readonly files: readonly CachedFile[];
  readonly readerOf: (file: string) => ReadInput;
  readonly signal: AbortSignal;
  /** From 0 to 1, by bytes. */
  readonly onProgress: (done: number) => void;
}

/** Resolves with the bytes that were fetched. The first download that fails ends the others, and is what this throws. */
export async function fetchInputs({ cache, files, readerOf, signal, onProgress }: FetchInputs): Promise<number> {
  const distinct = [...new Map(files.map((each) => [each.file, each])).values()];
  cache.trim(distinct);
  const missing = distinct.filter((file) => !cache.holds(file));
  const total = missing.reduce((sum, { bytes }) => sum + bytes, 0);
  let received = 0;
  // The longest first: a short one fills in at the end.
  const queue = missing.toSorted((a, b) => b.bytes - a.bytes);
  await atOnce(AT_ONCE, queue, signal, ({ file, bytes }, either) =>
    download({
      read: readerOf(file),
      bytes,
      path: cache.pathOf(file),
      signal: either,
      onBytes(more) {
        received += more;
        onProgress(Math.min(1, received / total));
      },
    }),
  );
  return total;
}
