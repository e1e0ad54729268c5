/**
 * Bounds the body as it was sent: a declared length over the limit is refused without reading anything, what arrives is counted
 * while it is read, and it may not take for ever. What it inflates to is bounded by whoever inflates it. What is left unread is
 * for `unread-body`.
 */
import type { MiddlewareHandler } from "hono";
import type { GatewayEnv } from "../../context.ts";
import { ProblemError } from "../../problem.ts";
import { type BodyDeadline, type BodyDeadlines, createBodyDeadline } from "./body-deadline.ts";

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
      if (declared !== null && declared > maxBytes) throw tooLarge(maxBytes);
      const deadline = createBodyDeadline(deadlines, now);
      try {
        if (declared !== null && declared <= AT_ONCE_BYTES) {
          const bytes = new Uint8Array(await deadline.inTime(c.req.raw.arrayBuffer()));
          read = bytes.byteLength;
          yield bytes;
          return;
        }
        for await (const chunk of chunksOf(c.req.raw.body, maxBytes, deadline)) {
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

function declaredLength(header: string | undefined): number | null {
  const length = Number(header ?? Number.NaN);
  return Number.isSafeInteger(length) ? length : null;
}

/** The body as it arrives. A reader that stops early leaves the rest unread, and unlocked; a body that is too late is cancelled. */
async function* chunksOf(
  stream: ReadableStream | null,
  maxBytes: number,
  deadline: BodyDeadline,
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
    if (!over) reader.releaseLock();
  }
}
