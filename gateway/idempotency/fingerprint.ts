/** What a request says, as a hash that is filled while its body is read. */
import { createHash } from "node:crypto";

export interface FingerprintedBody {
  /** The same bytes. Whoever stops early leaves the rest to `drain`. */
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Reads what is left. */
  drain(): Promise<void>;
  /** Once all was read: SHA-256, hex. */
  fingerprint(): string;
}

/** `parts` are what the body's meaning depends on besides its bytes: its type, encoding and schema version. */
export function fingerprinted(chunks: AsyncIterable<Uint8Array>, parts: readonly string[]): FingerprintedBody {
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
    fingerprint: () => hash.digest("hex"),
  };
}
