/** Compressed bodies, inflated with a bound: a few kilobytes may stand for gigabytes. */
import { createGunzip, type Gunzip } from "node:zlib";
import { InflatedTooLarge, MalformedBody } from "./event-batch.ts";
import { joined } from "./line-pieces.ts";

type Source = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/**
 * Inflates gzip as it arrives: one member or several, one after the other, which are one body (RFC 1952, section 2.2); zeros
 * may follow, as tapes pad them. What is inflated and not yet read stays below 100 KB. Throws `InflatedTooLarge` as soon as
 * more than `maxBytes` came out, `MalformedBody`, with everything that was received, for what is no gzip or is cut off, and
 * what the source throws.
 */
export async function* gunzip(source: Source, maxBytes: number): AsyncGenerator<Uint8Array> {
  const inflater = createGunzip();
  // What is compressed is small; it is what the dead letter of an unreadable body holds.
  const received: Uint8Array[] = [];
  let stopped = false;
  const feeding = feed(source, inflater, received, () => stopped);
  // Awaited below; until then its failure is no unhandled one.
  feeding.catch(() => undefined);
  let length = 0;
  try {
    for await (const inflated of inflater) {
      const part: Uint8Array = inflated;
      length += part.byteLength;
      if (length > maxBytes) throw new InflatedTooLarge(maxBytes);
      yield part;
    }
    await feeding;
  } catch (error) {
    if (error instanceof InflatedTooLarge) throw error;
    // Throws the source's own error if that was the reason; else reads the source to its end.
    await feeding;
    const detail = "Content-Encoding says gzip, but the body is not gzip or is cut off";
    throw new MalformedBody(detail, joined(received, NONE), "binary");
  } finally {
    stopped = true;
    inflater.destroy();
    // The source is closed, and what the sender still writes is read, before anything is answered.
    await feeding.catch(() => undefined);
  }
}

const NONE = new Uint8Array(0);

/** Writes everything, and goes on reading when the inflater has failed, which its reader sees. Throws what the source throws. */
async function feed(source: Source, inflater: Gunzip, received: Uint8Array[], stopped: () => boolean): Promise<void> {
  const closed = new Promise((resolve) => inflater.once("close", resolve));
  try {
    for await (const chunk of source) {
      if (stopped()) return;
      received.push(chunk);
      if (inflater.destroyed || inflater.write(chunk)) continue;
      await Promise.race([closed, new Promise((resolve) => inflater.once("drain", resolve))]);
    }
    inflater.end();
  } catch (error) {
    inflater.destroy(error instanceof Error ? error : new Error("the source failed"));
    throw error;
  }
}
