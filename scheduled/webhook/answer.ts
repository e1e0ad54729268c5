/** What follows from the webhook's answer. Pure. */

export type PostOutcome =
  | { readonly kind: "posted" }
  /** The message itself is refused, and would be again. */
  | { readonly kind: "refused" }
  | { readonly kind: "retry"; readonly delayMs: number };

const FIRST_DELAY_MS = 60_000;
const LAST_DELAY_MS = 3_600_000;
/** Request timeout, too early, too many requests. */
const TRANSIENT = [408, 425, 429];

/**
 * `status` null: there was no answer. `attempts`: this one included. Delays double from a minute, the cron's interval, to an
 * hour; a Retry-After in seconds (RFC 9110, 10.2.3) is kept to where it is longer, up to that hour.
 */
export function outcomeOf(status: number | null, retryAfter: string | null, attempts: number): PostOutcome {
  if (status !== null && status >= 200 && status < 300) return { kind: "posted" };
  if (status !== null && status < 500 && !TRANSIENT.includes(status)) return { kind: "refused" };
  const backoff = FIRST_DELAY_MS * 2 ** Math.min(attempts - 1, 10);
  const asked = /^\d{1,6}$/.test(retryAfter ?? "") ? Number(retryAfter) * 1_000 : 0;
  return { kind: "retry", delayMs: Math.min(LAST_DELAY_MS, Math.max(backoff, asked)) };
}
