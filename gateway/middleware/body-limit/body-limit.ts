/**
 * Bounds the body as it was sent: a declared length over the limit is refused without reading anything, what arrives is counted
 * while it is read, and it may not take for ever. What it inflates to is bounded by whoever inflates it.
 *
 * What is over the limit is read and thrown away, within reason: a connection that is closed while the client still writes
 * shows it a broken pipe in place of the answer that says what to do.
 */
import type { MiddlewareHandler } from "hono";
import type { GatewayEnv } from "../../context.ts";
import { ProblemError } from "../../problem.ts";
import { type BodyDeadline, type BodyDeadlines, createBodyDeadline } from "./body-deadline.ts";

/** How much of a refused body is read for the sake of the answer; a client that sends more than this gets its broken pipe. */
const DISCARDED_BYTES = 100_000_000;

/** A body that says it has no more is read in one call, which is several times faster than chunk by chunk. */
const AT_ONCE_BYTES = 256_000;

export interface BodyLimitOptions {
  readonly maxBytes: number;
  /** What is read is refused when it takes longer. */
  readonly deadlines: BodyDeadlines;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export function bodyLimit(options: BodyLimitOptions): MiddlewareHandler<GatewayEnv> {
  const { deadlines, now } = options;
  return async function bodyLimit(c, next) {
    const declared = declaredLength(c.req.header("content-length"));
    let read = 0;
    async function* bodyChunks(maxBytes: number): AsyncGenerator<Uint8Array> {
      const { body } = c.req.raw;
      if (declared !== null && declared > maxBytes) {
        if (declared <= DISCARDED_BYTES && body !== null) await discard(body.getReader(), deadlines, now);
        throw tooLarge(maxBytes);
      }
      const deadline = createBodyDeadline(deadlines, now);
      try {
        if (declared !== null && declared <= AT_ONCE_BYTES) {
          const bytes = new Uint8Array(await deadline.inTime(c.req.arrayBuffer()));
          read = bytes.byteLength;
          yield bytes;
          return;
        }
        for await (const chunk of chunksOf(body, maxBytes, deadline, (reader) => discard(reader, deadlines, now))) {
          read += chunk.byteLength;
          yield chunk;
        }
      } finally {
        deadline.stop();
      }
    }
    c.set("bodyChunks", (maxBytes = options.maxBytes) => ({
      chunks: bodyChunks(Math.min(maxBytes, options.maxBytes)),
      bytesRead: () => read,
      declared,
    }));
    await next();
  };
}

function tooLarge(maxBytes: number): ProblemError {
  return new ProblemError(
    "BODY_TOO_LARGE",
    `such a body has at most ${maxBytes} bytes: split the events over several requests`,
    { max_bytes: maxBytes },
  );
}

type Reader = ReadableStreamDefaultReader<Uint8Array>;

async function discard(reader: Reader, deadlines: BodyDeadlines, now: () => number): Promise<void> {
  const deadline = createBodyDeadline(deadlines, now);
  let length = 0;
  try {
    for (;;) {
      const { done, value } = await deadline.inTime(reader.read());
      if (done) return;
      deadline.progressed();
      length += value.byteLength;
      if (length > DISCARDED_BYTES) return await reader.cancel();
    }
  } catch {
    // The sender is gone or stalls; so does the need for an answer.
    await reader.cancel().catch(() => undefined);
  } finally {
    deadline.stop();
  }
}

function declaredLength(header: string | undefined): number | null {
  const length = Number(header ?? Number.NaN);
  return Number.isSafeInteger(length) ? length : null;
}

/** The body as it arrives. Of what a reader that stops early leaves `leave` takes care; a body that is too late is cancelled. */
async function* chunksOf(
  stream: ReadableStream | null,
  maxBytes: number,
  deadline: BodyDeadline,
  leave: (reader: Reader) => Promise<void>,
): AsyncGenerator<Uint8Array> {
  if (stream === null) return;
  const reader: Reader = stream.getReader();
  let length = 0;
  let over = false;
  try {
    for (;;) {
      const next = await deadline.inTime(reader.read());
      if (next.done) {
        over = true;
        return;
      }
      deadline.progressed();
      length += next.value.byteLength;
      if (length > maxBytes) throw tooLarge(maxBytes);
      yield next.value;
      deadline.progressed();
    }
  } catch (error) {
    over = error instanceof ProblemError && error.code === "BODY_TIMEOUT";
    if (over) await reader.cancel().catch(() => undefined);
    throw error;
  } finally {
    if (!over) await leave(reader);
  }
}
