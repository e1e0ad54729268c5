/** A load of POSTs over kept connections: as fast as answers come, or at a fixed pace. Latencies from when a request was due. */
import { Agent, request } from "node:http";
import { setTimeout as delay } from "node:timers/promises";

export interface LoadOptions {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent in turn, again and again. */
  readonly bodies: readonly Uint8Array[];
  /** When no further request is begun. */
  readonly end: { readonly afterSeconds: number } | { readonly afterRequests: number };
  /** Connections, each with one request under way. */
  readonly connections: number;
  /** Requests a second over all connections; as many as are answered if not given. */
  readonly requestsPerSecond?: number;
  /** Waited for before each request: what holds a sender back that would outrun the other side. */
  readonly ready?: () => Promise<void>;
}

export interface LoadResult {
  readonly requests: number;
  /** Until the last answer. */
  readonly seconds: number;
  /** Milliseconds, ascending. With a pace, a request that had to wait for a connection counts its wait too. */
  readonly latencies: readonly number[];
}

/** Throws Error at the first answer that is not 202. */
export async function load(options: LoadOptions): Promise<LoadResult> {
  const agent = new Agent({ keepAlive: true, maxSockets: options.connections });
  const { requestsPerSecond, bodies } = options;
  const start = performance.now();
  const endTime = "afterSeconds" in options.end ? start + options.end.afterSeconds * 1_000 : Number.POSITIVE_INFINITY;
  const most = "afterRequests" in options.end ? options.end.afterRequests : Number.POSITIVE_INFINITY;
  const latencies: number[] = [];
  let taken = 0;

  async function work(): Promise<void> {
    for (;;) {
      const number = taken++;
      await options.ready?.();
      const due = requestsPerSecond === undefined ? performance.now() : start + (number / requestsPerSecond) * 1_000;
      if (due >= endTime || number >= most) return;
      if (due > performance.now()) await delay(due - performance.now());
      const body = bodies[number % bodies.length];
      if (body === undefined) throw new Error("a load needs a body");
      await post(agent, options, body);
      latencies.push(performance.now() - due);
    }
  }
  try {
    await Promise.all(Array.from({ length: options.connections }, work));
  } finally {
    agent.destroy();
  }
  const seconds = (performance.now() - start) / 1_000;
  return { requests: latencies.length, seconds, latencies: latencies.sort((a, b) => a - b) };
}

/** The value below which this share of the sorted values lies. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** An idle connection may be closed in the moment in which it is used again: then the request is sent once more. */
function post(agent: Agent, options: LoadOptions, body: Uint8Array): Promise<void> {
  const { url, headers } = options;
  return new Promise((answered, failed) => {
    const sent = request(
      url,
      { method: "POST", agent, headers: { ...headers, "content-length": body.byteLength } },
      (response) => {
        if (response.statusCode === 202) {
          response.on("end", answered).on("error", failed).resume();
          return;
        }
        response.resume();
        failed(new Error(`${url} answered ${response.statusCode}`));
      },
    );
    sent.on("error", (error) => {
      const isStale = sent.reusedSocket && "code" in error && error.code === "ECONNRESET";
      if (isStale) post(agent, options, body).then(answered, failed);
      else failed(error);
    });
    sent.end(body);
  });
}
