/** Waits by `GET /v1/topics/{topic}/lag` until what was sent is readable in bronze. */
import { setTimeout as delay } from "node:timers/promises";
import * as z from "zod";
import { CommandProblem } from "../../command-problem.ts";

const lag = z.object({ as_of: z.string(), bronze: z.object({ rows: z.int() }) });

export interface Platform {
  /** Without a slash at the end. */
  readonly url: string;
  readonly key: string;
}

export interface BronzeWait {
  /** Resolves when bronze has this many rows more than at the beginning; `onProgress` hears how many it has. */
  until(rows: number, timeoutMs: number, onProgress: (rows: number) => void): Promise<void>;
}

const POLL_MS = 1_000;
/** Isolates' clocks differ by less; what arrived in it before is counted at the beginning and taken off. */
const CLOCK_MARGIN_MS = 1_000;

/** To be called before the first event is sent. Throws CommandProblem (SEND_FAILED) if the platform does not answer. */
export async function beginBronzeWait(platform: Platform, topic: string): Promise<BronzeWait> {
  const { as_of } = await readLag(platform, topic, null);
  const since = new Date(Date.parse(as_of) - CLOCK_MARGIN_MS).toISOString();
  const before = (await readLag(platform, topic, since)).bronze.rows;
  return {
    async until(rows, timeoutMs, onProgress) {
      const deadline = performance.now() + timeoutMs;
      for (;;) {
        const present = (await readLag(platform, topic, since)).bronze.rows - before;
        onProgress(Math.max(0, present));
        if (present >= rows) return;
        if (performance.now() >= deadline) {
          const message = `All ${rows} accepted events are durable, but after ${timeoutMs / 1_000} s bronze shows ${present} of them. Look at ${platform.url}/readyz, or wait longer (--wait-timeout).`;
          throw new CommandProblem("NOT_READABLE", message);
        }
        await delay(POLL_MS);
      }
    },
  };
}

async function readLag({ url, key }: Platform, topic: string, since: string | null): Promise<z.infer<typeof lag>> {
  const query = since === null ? "" : `?since=${since}`;
  try {
    const response = await fetch(`${url}/v1/topics/${encodeURIComponent(topic)}/lag${query}`, {
      headers: { Authorization: `Bearer ${key}` },
      signal: AbortSignal.timeout(30_000),
    });
    const text = await response.text();
    if (response.ok) return lag.parse(JSON.parse(text));
    throw new Error(`answered ${response.status}: ${text.slice(0, 300)}`);
  } catch (cause) {
    // fetch says "fetch failed"; what failed stands in its cause.
    const reason = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
    const detail = reason instanceof Error ? reason.message : String(reason);
    throw new CommandProblem("SEND_FAILED", `${url} does not say what is in bronze: ${detail}`, { cause });
  }
}
