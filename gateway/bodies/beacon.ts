/**
 * Bodies of `navigator.sendBeacon`, which says text/plain to be spared a preflight: a JSON array if the text begins like one,
 * else one JSON object a line. One object without line breaks is both.
 */

export interface OpenedBeacon {
  readonly isArray: boolean;
  /** The whole body. */
  readonly chunks: AsyncIterable<Uint8Array>;
}

/** Reads up to the first byte that is no white space of JSON (RFC 8259, section 2) nor part of a byte order mark. */
export async function openBeacon(chunks: AsyncIterable<Uint8Array>): Promise<OpenedBeacon> {
  const source = chunks[Symbol.asyncIterator]();
  const seen: Uint8Array[] = [];
  let first: number | undefined;
  while (first === undefined) {
    const { done, value } = await source.next();
    if (done === true) break;
    seen.push(value);
    first = value.find((byte) => !SKIPPED.has(byte));
  }
  async function* whole(): AsyncGenerator<Uint8Array> {
    yield* seen;
    for (;;) {
      const { done, value } = await source.next();
      if (done === true) return;
      yield value;
    }
  }
  return { isArray: first === ARRAY, chunks: whole() };
}

const ARRAY = 0x5b;
const SKIPPED: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d, 0xef, 0xbb, 0xbf]);
