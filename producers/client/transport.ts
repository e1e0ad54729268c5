/** One request and its answer. */

/** The part of `fetch` that is used. */
export type Fetch = (
  url: string,
  init: {
    readonly method: "POST";
    readonly headers: Record<string, string>;
    readonly body: Uint8Array<ArrayBuffer>;
    readonly signal: AbortSignal;
  },
) => Promise<{
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  text(): Promise<string>;
}>;

export interface Target {
  /** Without a slash at the end. */
  readonly url: string;
  readonly key: string;
  readonly fetch: Fetch;
  readonly requestTimeoutMs: number;
}

/** `status` is null when there was no answer; `text` then says why. */
export interface Reply {
  readonly status: number | null;
  readonly text: string;
  readonly retryAfterMs: number | null;
}

/** Posts newline-delimited JSON. Never throws: a failure, a time-out and an abort are replies without a status. */
export async function post(
  target: Target,
  topic: string,
  body: Uint8Array<ArrayBuffer>,
  compress: boolean,
  stop: AbortSignal,
): Promise<Reply> {
  const limit = new AbortController();
  const abort = () => limit.abort(stop.reason);
  stop.addEventListener("abort", abort);
  const timer = setTimeout(() => limit.abort(new Error("the request took too long")), target.requestTimeoutMs);
  try {
    stop.throwIfAborted();
    const response = await target.fetch(`${target.url}/v1/topics/${encodeURIComponent(topic)}/events`, {
      method: "POST",
      headers: {
        Authorization: `Bearer ${target.key}`,
        "Content-Type": "application/x-ndjson",
        ...(compress ? { "Content-Encoding": "gzip" } : {}),
      },
      body: compress ? await gzip(body) : body,
      signal: limit.signal,
    });
    const text = await response.text();
    return {
      status: response.status,
      text,
      retryAfterMs: parseRetryAfter(response.headers.get("Retry-After"), Date.now()),
    };
  } catch (error) {
    return { status: null, text: messageOf(error), retryAfterMs: null };
  } finally {
    clearTimeout(timer);
    stop.removeEventListener("abort", abort);
  }
}

/** Whether this runtime can compress. */
export function canCompress(): boolean {
  return typeof CompressionStream === "function";
}

async function gzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const compressed = new Response(bytes).body?.pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(compressed).arrayBuffer());
}

// fetch says "fetch failed"; what failed stands in its cause.
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}

/** Milliseconds that a Retry-After header asks for: seconds or an HTTP date (RFC 9110, section 10.2.3); null if it says nothing. */
export function parseRetryAfter(header: string | null, nowMs: number): number | null {
  if (header === null) return null;
  if (/^\d+$/.test(header.trim())) return Number(header) * 1_000;
  const dateMs = Date.parse(header);
  return Number.isNaN(dateMs) ? null : Math.max(0, dateMs - nowMs);
}
