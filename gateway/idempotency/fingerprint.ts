/** What a request says, as a hash that is filled while its body is read. */
import { createHash } from "node:crypto";
import type { Masker } from "../masking/masker.ts";

export interface FingerprintedBody {
  /** The same bytes. Whoever stops early leaves the rest to `drain`. */
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Reads what is left. */
  drain(): Promise<void>;
  /**
   * Once all was read: what a receipt is to keep of it comes first, then what it may have kept of the same body under an
   * earlier key. SHA-256, hex; of a topic with masked fields HMACs of that, since a body could be guessed by its hash.
   */
  fingerprints(): readonly string[];
}

/** What conceals the hash of a body with personal data. */
export type Digests = Pick<Masker, "digests">;

/** `parts` are what the body's meaning depends on besides its bytes: its type, encoding and schema version. `masker` is null for topics without masked fields. */
export function fingerprinted(
  chunks: AsyncIterable<Uint8Array>,
  parts: readonly string[],
  masker: Digests | null,
): FingerprintedBody {
  const hash = createHash("sha256").update(`${JSON.stringify(parts)}\n`);
  const source = chunks[Symbol.asyncIterator]();
  async function next(): Promise<IteratorResult<Uint8Array, undefined>> {
    const result = await source.next();
    if (result.done === true) return { done: true, value: undefined };
    hash.update(result.value);
    return { done: false, value: result.value };
  }
  return {
    // Without `return`: a reader that stops early must not close the source.
    chunks: { [Symbol.asyncIterator]: () => ({ next }) },
    async drain() {
      while ((await next()).done !== true);
    },
    fingerprints() {
      const digest = hash.digest("hex");
      return masker === null ? [digest] : masker.digests(digest);
    },
  };
}
