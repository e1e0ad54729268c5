/** Waiting until the queues are empty, so that a stop leaves nothing for the next start to deliver. */

/** The Worker's own counts, from `GET /healthz`. */
export interface MessageCounts {
  readonly sent: number;
  readonly acknowledged: number;
}

export interface DrainOptions {
  /** Milliseconds; the default is 30 s. */
  readonly timeoutMs?: number;
}

export type DrainResult =
  | { readonly drained: true }
  /** `left` messages were not acknowledged in time; undefined when the Worker did not tell. */
  | { readonly drained: false; readonly left: number | undefined };

const POLL_MS = 200;

/** Polls until all messages sent are acknowledged, twice with the same count: a consumer that sends does so before it acknowledges. */
export async function waitForDrain(
  counts: () => Promise<MessageCounts | undefined>,
  timeoutMs: number,
  sleep: (ms: number) => Promise<unknown>,
  now: () => number,
): Promise<DrainResult> {
  const deadline = now() + timeoutMs;
  let settledAt: number | undefined;
  let left: number | undefined;
  for (;;) {
    const seen = await counts();
    left = seen === undefined ? undefined : Math.max(0, seen.sent - seen.acknowledged);
    if (seen !== undefined && left === 0) {
      if (settledAt === seen.sent) return { drained: true };
      settledAt = seen.sent;
    } else {
      settledAt = undefined;
    }
    if (now() >= deadline) return { drained: false, left };
    await sleep(POLL_MS);
  }
}

/** Reads `messages` of /healthz; undefined when the answer has none. */
export async function readMessageCounts(url: string): Promise<MessageCounts | undefined> {
  try {
    const response = await fetch(new URL("/healthz", url), { signal: AbortSignal.timeout(5_000) });
    const body: unknown = await response.json();
    if (typeof body !== "object" || body === null || !("messages" in body)) return undefined;
    const { messages } = body;
    if (typeof messages !== "object" || messages === null) return undefined;
    if (!("sent" in messages && "acknowledged" in messages)) return undefined;
    const { sent, acknowledged } = messages;
    return typeof sent === "number" && typeof acknowledged === "number" ? { sent, acknowledged } : undefined;
  } catch {
    return undefined; // Busy or gone: asked again until the time is up.
  }
}
