/**
 * Events per minute of a key: a token bucket that holds one minute's events and refills evenly. A request may take more than
 * there is, as long as there is any: then the next ones wait for the debt, so a batch larger than the limit gets through.
 */

interface Bucket {
  tokens: number;
  at: number;
}

export interface EventBudget {
  /** In how many milliseconds the key may send again; 0: now. `now`: milliseconds since the epoch. */
  wait(keyId: string, perMinute: number, now: number): number;
  /** Takes so many tokens, into debt if need be. */
  take(keyId: string, events: number, perMinute: number, now: number): void;
}

export function createEventBudget(): EventBudget {
  // One entry for each valid key with a limit, so callers cannot make it grow.
  const buckets = new Map<string, Bucket>();

  function refilled(keyId: string, perMinute: number, now: number): Bucket {
    let bucket = buckets.get(keyId);
    if (bucket === undefined) {
      bucket = { tokens: perMinute, at: now };
      buckets.set(keyId, bucket);
    }
    // A clock that went back gives nothing and takes nothing.
    bucket.tokens = Math.min(perMinute, bucket.tokens + Math.max(0, now - bucket.at) * (perMinute / 60_000));
    bucket.at = now;
    return bucket;
  }

  return {
    wait(keyId, perMinute, now) {
      const { tokens } = refilled(keyId, perMinute, now);
      return tokens >= 1 ? 0 : Math.ceil((1 - tokens) / (perMinute / 60_000));
    },
    take(keyId, events, perMinute, now) {
      refilled(keyId, perMinute, now).tokens -= events;
    },
  };
}
