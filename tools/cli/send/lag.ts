/** Waits by `GET /v1/topics/{topic}/lag` until what was sent is readable in bronze. */
import { setTimeout as delay } from "node:timers/promises";
import * as z from "zod";
import { CommandProblem } from "../../command-problem.ts";
import { BEGINNING, CLOCK_MARGIN_MS, nextProgress } from "./own-events.ts";

const lag = z.object({
  as_of: z.string(),
  bronze: z.object({ rows: z.int() }),
  waiting: z
    .object({
      queue: z.object({ oldest_sent: z.string().nullable() }),
      buffers: z.object({ oldest_appended: z.string().nullable() }),
    })
    .optional(),
});

export interface Platform {
  /** Without a slash at the end. */
  readonly url: string;
  readonly key: string;
}

export interface BronzeWait {
  /**
   * To be called after the last answer. Resolves when the `accepted` events are in bronze, others' or not (`own-events.ts`);
   * `onProgress` hears by how many rows bronze has grown. Throws CommandProblem: NOT_READABLE when the time is up, SEND_FAILED.
   */
  until(accepted: number, timeoutMs: number, onProgress: (rows: number) => void): Promise<void>;
}

const POLL_MS = 1_000;

/** To be called before the first event is sent. Throws CommandProblem (SEND_FAILED) if the platform does not answer. */
export async function beginBronzeWait(platform: Platform, topic: string, pollMs = POLL_MS): Promise<BronzeWait> {
  const { as_of } = await readLag(platform, topic, null);
  // What arrived within the margin is counted here and taken off.
  const since = new Date(Date.parse(as_of) - CLOCK_MARGIN_MS).toISOString();
  const before = (await readLag(platform, topic, `since=${since}`)).bronze.rows;
  return {
    async until(accepted, timeoutMs, onProgress) {
      const deadline = performance.now() + timeoutMs;
      const answered = Date.parse((await readLag(platform, topic, null)).as_of);
      let progress = BEGINNING;
      let rows = 0;
      for (;;) {
        // The queue and the buffers are worth a question only when the count is there.
        const waiting = rows >= accepted ? "&waiting=true" : "";
        const look = await readLag(platform, topic, `since=${since}${waiting}`);
        rows = look.bronze.rows - before;
        onProgress(Math.max(0, rows));
        progress = nextProgress(progress, lookOf(look, rows), { answered, accepted });
        if (progress.done) return;
        if (performance.now() >= deadline) throw notReadable(platform, accepted, rows, timeoutMs);
        if (rows < accepted || waiting !== "") await delay(pollMs);
      }
    },
  };
}

function lookOf({ as_of, waiting }: z.infer<typeof lag>, rows: number) {
  return {
    asOf: Date.parse(as_of),
    rows,
    waiting:
      waiting === undefined
        ? null
        : { oldestSent: timeOf(waiting.queue.oldest_sent), oldestAppended: timeOf(waiting.buffers.oldest_appended) },
  };
}

function timeOf(text: string | null): number | null {
  return text === null ? null : Date.parse(text);
}

function notReadable({ url }: Platform, accepted: number, rows: number, timeoutMs: number): CommandProblem {
  const seen =
    rows < accepted
      ? `bronze shows ${Math.max(0, rows)} of them`
      : `some may still wait in the queue or a buffer (bronze has ${rows} rows more, others' among them)`;
  const message = `All ${accepted} accepted events are durable, but after ${timeoutMs / 1_000} s ${seen}. Look at ${url}/readyz, or wait longer (--wait-timeout).`;
  return new CommandProblem("NOT_READABLE", message);
}

async function readLag({ url, key }: Platform, topic: string, query: string | null): Promise<z.infer<typeof lag>> {
  try {
    const address = `${url}/v1/topics/${encodeURIComponent(topic)}/lag${query === null ? "" : `?${query}`}`;
    const response = await fetch(address, {
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
