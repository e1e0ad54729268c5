/** How long a producer waits before it tries again. */
export { parseRetryAfter } from "../client/transport.ts";

const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 10_000;
/** A server's wish is followed up to here; past it the run would only look hung. */
const LONGEST_RETRY_AFTER_MS = 120_000;

/**
 * Milliseconds to wait before the next try: exponential from 100 ms, capped at 10 s, of which a random half (`chance` in
 * [0, 1)) keeps producers apart, and never less than what the server asked for. `failures` counts from 1.
 */
export function waitBeforeRetry(failures: number, retryAfterMs: number | null, chance: number): number {
  const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (failures - 1));
  const own = longest / 2 + (longest / 2) * chance;
  return Math.max(own, Math.min(retryAfterMs ?? 0, LONGEST_RETRY_AFTER_MS));
}
