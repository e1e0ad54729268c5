/**
 * Whatever answers, the body that it left unread is dealt with here and nowhere else. workerd closes a connection whose body was
 * not read to its end, and a client that is still writing then sees a broken pipe in place of the answer; so a local platform
 * reads the rest and throws it away, within bounds. On Cloudflare the edge holds the connection, not the isolate: there the rest
 * is cancelled, which costs nothing, however much a stranger sends.
 */
import type { MiddlewareHandler } from "hono";
import type { GatewayEnv } from "../../context.ts";
import type { Environment } from "../../deps.ts";

/** Five times the largest body that is taken; whoever sends more than this gets the broken pipe. */
const MOST_BYTES = 100_000_000;
/** A body that is dripped, or never ends, holds its answer back for no longer than this. */
const LONGEST_MS = 5_000;

export interface UnreadBodyOptions {
  readonly environment: Environment;
}

/** Stands outermost, so that it sees every answer. Readers that stop early only release their lock. */
export function unreadBody({ environment }: UnreadBodyOptions): MiddlewareHandler<GatewayEnv> {
  const finish = environment === "local" ? drain : cancel;
  return async function unreadBody(c, next) {
    await next();
    // The request of this moment: middleware may have put another one, with the same body, in the place of the first.
    const { body } = c.req.raw;
    if (body !== null && !body.locked) await finish(body);
  };
}

async function cancel(body: ReadableStream): Promise<void> {
  try {
    await body.cancel();
  } catch {
    // The sender is gone, and so is the need for anything.
  }
}

/** Reads to the end, or to a bound, and then cancels what is left. */
export async function drain(body: ReadableStream, mostBytes = MOST_BYTES, longestMs = LONGEST_MS): Promise<void> {
  const reader: ReadableStreamDefaultReader<Uint8Array> = body.getReader();
  const late = setTimeout(() => void reader.cancel().catch(() => {}), longestMs);
  try {
    for (let bytes = 0; ; ) {
      const { done, value } = await reader.read();
      if (done) return;
      bytes += value.byteLength;
      if (bytes > mostBytes) return await reader.cancel();
    }
  } catch {
    // As above.
  } finally {
    clearTimeout(late);
  }
}
