/** How long a producer waits before it tries again. */

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

/** Milliseconds that a Retry-After header asks for: seconds or an HTTP date (RFC 9110, section 10.2.3); null if it says nothing. */
export function parseRetryAfter(header: string | null, nowMs: number): number | null {
  if (header === null) return null;
  if (/^\d+$/.test(header.trim())) return Number(header) * 1_000;
  const dateMs = Date.parse(header);
  return Number.isNaN(dateMs) ? null : Math.max(0, dateMs - nowMs);
}
