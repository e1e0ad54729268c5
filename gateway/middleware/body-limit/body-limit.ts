/**
 * Bounds the body. A declared length over the limit is refused without keeping anything; a body without one is counted while
 * it is read. A declared length is not counted again: HTTP lets no more bytes through than it declares.
 *
 * What is over the limit is read and thrown away, within reason: a connection that is closed while the client still writes
 * shows it a broken pipe in place of the answer that says what to do.
 */
import type { MiddlewareHandler } from "hono";
import type { GatewayEnv } from "../../context.ts";
import { ProblemError } from "../../problem.ts";

/** How much of a refused body is read for the sake of the answer; a client that sends more than this gets its broken pipe. */
const DISCARDED_BYTES = 100_000_000;

export interface BodyLimitOptions {
  readonly maxBytes: number;
}

export function bodyLimit(options: BodyLimitOptions): MiddlewareHandler<GatewayEnv> {
  const { maxBytes } = options;
  return async function bodyLimit(c, next) {
    const declared = c.req.header("content-length");
    if (declared !== undefined && Number(declared) > maxBytes) {
      if (Number(declared) <= DISCARDED_BYTES && c.req.raw.body !== null) await discard(c.req.raw.body.getReader());
      throw tooLarge(maxBytes);
    }
    c.set("readBody", async () => {
      if (declared === undefined) return await readCounted(c.req.raw.body, maxBytes);
      const bytes = new Uint8Array(await c.req.arrayBuffer());
      if (bytes.byteLength > maxBytes) throw tooLarge(maxBytes);
      return bytes;
    });
    await next();
  };
}

function tooLarge(maxBytes: number): ProblemError {
  return new ProblemError(
    "BODY_TOO_LARGE",
    `a body has at most ${maxBytes} bytes: split the events over several requests`,
    { max_bytes: maxBytes },
  );
}

async function discard(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  let length = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      length += value.byteLength;
      if (length > DISCARDED_BYTES) return await reader.cancel();
    }
  } catch {
    // The sender is gone; so is the need for an answer.
  }
}

async function readCounted(stream: ReadableStream | null, maxBytes: number): Promise<Uint8Array> {
  if (stream === null) return new Uint8Array(0);
  const reader: ReadableStreamDefaultReader<Uint8Array> = stream.getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.byteLength;
    if (length > maxBytes) {
      chunks.length = 0;
      await discard(reader);
      throw tooLarge(maxBytes);
    }
    chunks.push(value);
  }
  const [only] = chunks;
  if (chunks.length === 1 && only !== undefined) return only;
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}
