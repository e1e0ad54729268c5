/**
 * Events per minute of a key: a token bucket that holds one minute's events and refills evenly. A request may take more than
 * there is, as long as there is any: then the next ones wait for the debt, so a batch larger than the limit gets through.
 */

interface Bucket {
  tokens: number;
  at: number;
}

export interface EventBudget {
  /** Takes `events` tokens, or says in how many milliseconds to come back; then nothing is taken. `now`: milliseconds since the epoch. */
  spend(
    keyId: string,
    events: number,
    perMinute: number,
    now: number,
  ): { readonly ok: true } | { readonly ok: false; readonly retryAfterMs: number };
}

export function createEventBudget(): EventBudget {
  // One entry for each valid key with a limit, so callers cannot make it grow.
  const buckets = new Map<string, Bucket>();
  return {
    spend(keyId, events, perMinute, now) {
      const perMs = perMinute / 60_000;
      let bucket = buckets.get(keyId);
      if (bucket === undefined) {
        bucket = { tokens: perMinute, at: now };
        buckets.set(keyId, bucket);
      }
      // A clock that went back gives nothing and takes nothing.
      bucket.tokens = Math.min(perMinute, bucket.tokens + Math.max(0, now - bucket.at) * perMs);
      bucket.at = now;
      if (bucket.tokens < 1) return { ok: false, retryAfterMs: Math.ceil((1 - bucket.tokens) / perMs) };
      bucket.tokens -= events;
      return { ok: true };
    },
  };
}
