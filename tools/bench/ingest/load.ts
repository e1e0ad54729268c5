/** A load of POSTs over kept connections: as fast as answers come, or at a fixed pace. Latencies from when a request was due. */
import { setTimeout as delay } from "node:timers/promises";
import { Connection } from "./connection.ts";

export interface LoadOptions {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent in turn, again and again. */
  readonly bodies: readonly Uint8Array[];
  /** When no further request is begun. */
  readonly end:
    | { readonly afterSeconds: number }
    | { readonly afterRequests: number }
    | { readonly signal: AbortSignal };
  /** Connections, each with one request under way. */
  readonly connections: number;
  /** Requests a second over all connections; as many as are answered if not given. */
  readonly requestsPerSecond?: number;
  /** Waited for before each request: what holds a sender back that would outrun the other side. */
  readonly ready?: () => Promise<void>;
  /** Called at each answer. */
  readonly onAnswer?: () => void;
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
  const { url, requestsPerSecond, bodies } = options;
  const connections = Array.from({ length: options.connections }, () => new Connection(url, options.headers));
  const start = performance.now();
  const endTime = "afterSeconds" in options.end ? start + options.end.afterSeconds * 1_000 : Number.POSITIVE_INFINITY;
  const most = "afterRequests" in options.end ? options.end.afterRequests : Number.POSITIVE_INFINITY;
  const signal = "signal" in options.end ? options.end.signal : undefined;
  const latencies: number[] = [];
  let taken = 0;

  async function work(connection: Connection): Promise<void> {
    for (;;) {
      const number = taken++;
      await options.ready?.();
      const due = requestsPerSecond === undefined ? performance.now() : start + (number / requestsPerSecond) * 1_000;
      if (due >= endTime || number >= most || signal?.aborted === true) return;
      if (due > performance.now()) await delay(due - performance.now());
      const body = bodies[number % bodies.length];
      if (body === undefined) throw new Error("a load needs a body");
      const status = await connection.post(body);
      if (status !== 202) throw new Error(`${url} answered ${status}`);
      options.onAnswer?.();
      latencies.push(performance.now() - due);
    }
  }
  try {
    await Promise.all(connections.map(work));
  } finally {
    for (const connection of connections) connection.close();
  }
  const seconds = (performance.now() - start) / 1_000;
  return { requests: latencies.length, seconds, latencies: latencies.sort((a, b) => a - b) };
}

/** The value below which this share of the sorted values lies. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
