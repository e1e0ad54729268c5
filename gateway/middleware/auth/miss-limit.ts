/**
 * How often one network may ask the catalog for keys and origins that it does not have: thirty times a minute in each isolate.
 * Without it everybody could have a query made by every request. A network over it still uses keys
 * and origins that exist (`name-list.ts`).
 */
import { ProblemError } from "../../problem.ts";

const WINDOW_MS = 60_000;
/** A page or a server has one key and one origin; thirty leave room for a deploy with a wrong one behind a shared address. */
const MISSES_PER_WINDOW = 30;
/** The networks that asked longest ago leave. */
const MAX_NETWORKS = 10_000;

export interface MissLimit {
  /** Counts a query before it is made, so that many at once cannot pass together. 0, or in how many seconds to come back. */
  take(network: string, now: number): number;
  /** The query found something: it does not count. */
  giveBack(network: string): void;
  /** The query was not answered. It counts, so that no outage lifts the limit; but nobody asked for what is not known. */
  noteFailure(network: string): void;
  /** Tells whether the catalog failed to answer one of the queries that the network made in this minute. */
  sawFailure(network: string): boolean;
}

export function createMissLimit(): MissLimit {
  const windows = new Map<string, { began: number; count: number; failed: boolean }>();
  return {
    take(network, now) {
      let window = windows.get(network);
      if (window === undefined || now - window.began >= WINDOW_MS) {
        window = { began: now, count: 0, failed: false };
        windows.delete(network);
        windows.set(network, window);
        const [oldest] = windows.keys();
        if (windows.size > MAX_NETWORKS && oldest !== undefined) windows.delete(oldest);
      }
      if (window.count >= MISSES_PER_WINDOW) return Math.max(1, Math.ceil((window.began + WINDOW_MS - now) / 1_000));
      window.count++;
      return 0;
    },
    giveBack(network) {
      const window = windows.get(network);
      if (window !== undefined && window.count > 0) window.count--;
    },
    noteFailure(network) {
      const window = windows.get(network);
      if (window !== undefined) window.failed = true;
    },
    sawFailure: (network) => windows.get(network)?.failed ?? false,
  };
}

export function tooManyMisses(seconds: number, headers: Readonly<Record<string, string>> = {}): ProblemError {
  const detail = `too many keys or origins that are not known came from this address: try again after ${seconds} s`;
  return new ProblemError("RATE_LIMITED", detail, {}, { ...headers, "Retry-After": String(seconds) });
}
