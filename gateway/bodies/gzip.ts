/** Compressed bodies, inflated with a bound: a few kilobytes may stand for gigabytes. */
import { InflatedTooLarge, MalformedBody } from "./event-batch.ts";
import { joined } from "./line-segments.ts";

/**
 * The inflater takes whatever it is given and keeps what comes out until it is read. Deflate's ratio is at most 1032
 * (RFC 1951 allows no more than 258 bytes for two bits), so a piece of this size becomes at most 4 MB.
 */
const PIECE_BYTES = 4_096;

type Source = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/**
 * Inflates one gzip member as it arrives. Throws `InflatedTooLarge` as soon as more than `maxBytes` came out, and
 * `MalformedBody`, with everything that was received, for what is no gzip or is cut off.
 */
export async function* gunzip(source: Source, maxBytes: number): AsyncGenerator<Uint8Array> {
  // What is compressed is small; it is what the dead letter of an unreadable body holds.
  const received: Uint8Array[] = [];
  async function* remembered(): AsyncGenerator<Uint8Array> {
    for await (const chunk of source) {
      received.push(chunk);
      yield chunk;
    }
  }
  try {
    yield* inflate(remembered(), "gzip", maxBytes);
  } catch (error) {
    if (!(error instanceof CorruptData)) throw error;
    throw new MalformedBody(
      "Content-Encoding says gzip, but the body is not gzip or is cut off",
      joined(received, NONE),
      "binary",
    );
  }
}

/** Inflates a block of a container file (raw deflate, RFC 1951). Throws `InflatedTooLarge` and `CorruptData`. */
export async function inflateRaw(block: Uint8Array, maxBytes: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of inflate([block], "deflate-raw", maxBytes)) parts.push(part);
  return joined(parts, NONE);
}

const NONE = new Uint8Array(0);

/** The data does not inflate. */
export class CorruptData extends Error {
  override readonly name = "CorruptData";
}

async function* inflate(source: Source, format: "gzip" | "deflate-raw", maxBytes: number): AsyncGenerator<Uint8Array> {
  const inflater = new DecompressionStream(format);
  const reader: ReadableStreamDefaultReader<Uint8Array> = inflater.readable.getReader();
  const writer: WritableStreamDefaultWriter<Uint8Array> = inflater.writable.getWriter();
  let stopped = false;
  const feeding = feed(source, writer, () => stopped);
  // Awaited below; until then its failure is no unhandled one.
  feeding.catch(() => undefined);
  writer.closed.catch(() => undefined);
  let length = 0;
  try {
    for (;;) {
      const next = await readOrCorrupt(reader, feeding);
      if (next === undefined) break;
      length += next.byteLength;
      if (length > maxBytes) throw new InflatedTooLarge(maxBytes);
      yield next;
    }
    await feeding;
  } finally {
    stopped = true;
    await reader.cancel().catch(() => undefined);
    // The source is closed, and what the sender still writes is read, before anything is answered.
    await feeding.catch(() => undefined);
  }
}

/** The next piece, undefined at the end. Throws the source's own error if there is one, else `CorruptData`. */
async function readOrCorrupt(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  feeding: Promise<void>,
): Promise<Uint8Array | undefined> {
  try {
    const { done, value } = await reader.read();
    return done ? undefined : value;
  } catch {
    await feeding;
    throw new CorruptData("the data does not inflate");
  }
}

/** Writes everything. Throws what the source throws; a failure to inflate is seen by the reader, and the source read on. */
async function feed(
  source: Source,
  writer: WritableStreamDefaultWriter<Uint8Array>,
  stopped: () => boolean,
): Promise<void> {
  let corrupt = false;
  try {
    for await (const chunk of source) {
      for (let start = 0; start < chunk.byteLength && !corrupt && !stopped(); start += PIECE_BYTES) {
        try {
          await writer.write(chunk.slice(start, start + PIECE_BYTES));
        } catch {
          corrupt = true;
        }
      }
      if (stopped()) return;
    }
  } catch (error) {
    await writer.abort(error).catch(() => undefined);
    throw error;
  }
  if (!corrupt) await writer.close().catch(() => undefined);
}
