/** What to do after an answer, and how long to wait. Pure: time and chance come in. */

/**
 * `read`: there are verdicts in it. `again`: send the same later. `split`: in two halves. `uncompressed`: now, without gzip.
 * `give up`: sending it again will not help.
 */
export type Reaction = "read" | "again" | "split" | "uncompressed" | "give up";

/** The part of a request that the reaction depends on. */
export interface Attempt {
  readonly compressed: boolean;
  readonly events: number;
  /** Whether the gateway refused the body as a whole for what stands in it. */
  readonly malformed: boolean;
  /** This one included. */
  readonly attempts: number;
  /** Milliseconds since the first try. */
  readonly elapsedMs: number;
}

const VERDICTS = new Set([202, 207, 422]);
/** The gateway, or something before it, is busy or away: as good as sure to pass. */
const BUSY = new Set([408, 425, 429, 502, 503, 504]);
/** An error of the gateway's own may be due to one event: with the waits ten tries are a minute. */
const MAX_ATTEMPTS_ON_ERROR = 10;

/** The reaction to a status; null stands for no answer at all. An answer that cannot be read counts as status 500. */
export function reactionTo(status: number | null, attempt: Attempt, giveUpAfterMs: number): Reaction {
  if (status !== null && VERDICTS.has(status)) return "read";
  // One event may be to blame, and its neighbours must not fail with it: halves find it in 2 log2(n) requests.
  if (status === 413 || (status === 400 && attempt.malformed)) return attempt.events > 1 ? "split" : "give up";
  if (status === 415 && attempt.compressed) return "uncompressed";
  if (attempt.elapsedMs >= giveUpAfterMs) return "give up";
  if (status === null || BUSY.has(status)) return "again";
  return status >= 500 && attempt.attempts < MAX_ATTEMPTS_ON_ERROR ? "again" : "give up";
}

const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 10_000;
/** A server's wish is followed up to here. */
const LONGEST_RETRY_AFTER_MS = 120_000;
/** Clients that were told the same time come back over this share of it. */
const RETRY_AFTER_SPREAD = 0.2;

/**
 * Milliseconds to wait: exponential from 100 ms, capped at 10 s, of which a random half (`chance` in [0, 1)) keeps clients
 * apart, and never less than what the server asked for. `attempts` counts from 1.
 */
export function waitBeforeRetry(attempts: number, retryAfterMs: number | null, chance: number): number {
  const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (attempts - 1));
  const own = longest / 2 + (longest / 2) * chance;
  const asked = Math.min(retryAfterMs ?? 0, LONGEST_RETRY_AFTER_MS) * (1 + RETRY_AFTER_SPREAD * chance);
  return Math.max(own, asked);
}
