/**
 * Bounds the body as it was sent: a declared length over the limit is refused without reading anything, and what arrives is
 * counted while it is read. What it inflates to is bounded by whoever inflates it.
 *
 * What is over the limit is read and thrown away, within reason: a connection that is closed while the client still writes
 * shows it a broken pipe in place of the answer that says what to do.
 */
import type { MiddlewareHandler } from "hono";
import type { GatewayEnv } from "../../context.ts";
import { ProblemError } from "../../problem.ts";

/** How much of a refused body is read for the sake of the answer; a client that sends more than this gets its broken pipe. */
const DISCARDED_BYTES = 100_000_000;

/** A body that says it has no more is read in one call, which is several times faster than chunk by chunk. */
const AT_ONCE_BYTES = 1_000_000;

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
    let read = 0;
    async function* bodyChunks(): AsyncGenerator<Uint8Array> {
      const length = declaredLength(declared);
      if (length !== null && length <= AT_ONCE_BYTES) {
        const bytes = new Uint8Array(await c.req.arrayBuffer());
        read = bytes.byteLength;
        yield bytes;
        return;
      }
      for await (const chunk of chunksOf(c.req.raw.body, maxBytes)) {
        read += chunk.byteLength;
        yield chunk;
      }
    }
    c.set("bodyChunks", () => ({ chunks: bodyChunks(), bytesRead: () => read, declared: declaredLength(declared) }));
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

function declaredLength(header: string | undefined): number | null {
  const length = Number(header ?? Number.NaN);
  return Number.isSafeInteger(length) ? length : null;
}

/** The body as it arrives. Whoever stops early leaves the rest unread. */
async function* chunksOf(stream: ReadableStream | null, maxBytes: number): AsyncGenerator<Uint8Array> {
  if (stream === null) return;
  const reader: ReadableStreamDefaultReader<Uint8Array> = stream.getReader();
  let length = 0;
  let done = false;
  try {
    for (;;) {
      const next = await reader.read();
      done = next.done;
      if (next.done) return;
      length += next.value.byteLength;
      if (length > maxBytes) throw tooLarge(maxBytes);
      yield next.value;
    }
  } finally {
    if (!done) await discard(reader);
  }
}
