/** What follows from the webhook's answer. Pure. */
import { waitAfter } from "../../schemas/backoff.ts";

export type PostOutcome =
  | { readonly kind: "posted" }
  /** The message itself is refused, and would be again. */
  | { readonly kind: "refused" }
  | { readonly kind: "retry"; readonly delayMs: number };

const DELAY_MS = { first: 60_000, longest: 3_600_000 };
/** Request timeout, too early, too many requests. */
const TRANSIENT = [408, 425, 429];

/**
 * `status` null: there was no answer. `attempts`: this one included. Delays double from a minute, the cron's interval, to an
 * hour; a Retry-After in seconds (RFC 9110, 10.2.3) is kept to where it is longer, up to that hour.
 */
export function outcomeOf(status: number | null, retryAfter: string | null, attempts: number): PostOutcome {
  if (status !== null && status >= 200 && status < 300) return { kind: "posted" };
  if (status !== null && status < 500 && !TRANSIENT.includes(status)) return { kind: "refused" };
  const backoff = waitAfter(DELAY_MS, attempts - 1);
  const asked = /^\d{1,6}$/.test(retryAfter ?? "") ? Number(retryAfter) * 1_000 : 0;
  return { kind: "retry", delayMs: Math.min(DELAY_MS.longest, Math.max(backoff, asked)) };
}
