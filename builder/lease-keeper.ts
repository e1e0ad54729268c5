/** Renews a lease beside the work. */
import type { RenewRequest } from "../lakehouse/builds/native/wire.ts";
import { RefusedError } from "./platform/refusal.ts";
import { LeaseLostError } from "./stopped.ts";

export interface LeaseKeeper {
  /** Aborted once the lease is known to be lost, or the platform refuses this builder: the work is for nothing. */
  readonly lost: AbortSignal;
  stop(): void;
}

/**
 * Calls `renew` every so often, with where the build is. A renewal that gets no answer is left to the next one: whether the lease stood
 * meanwhile is what the platform says then.
 */
export function keepLease(
  everyMs: number,
  standing: () => RenewRequest,
  renew: (standing: RenewRequest, signal: AbortSignal) => Promise<void>,
): LeaseKeeper {
  const lost = new AbortController();
  const over = new AbortController();

  async function once(): Promise<void> {
    try {
      await renew(standing(), over.signal);
    } catch (error) {
      if (error instanceof LeaseLostError || error instanceof RefusedError) lost.abort(error);
    }
    if (!over.signal.aborted && !lost.signal.aborted) timer = setTimeout(once, everyMs);
  }

  let timer = setTimeout(once, everyMs);
  return {
    lost: lost.signal,
    stop() {
      over.abort();
      clearTimeout(timer);
    },
  };
}
