/** Why a build ends before its time: the reasons with which its AbortSignal is aborted. */

/** The lease is over, or another builder's. Nothing that is done from now on counts. */
export class LeaseLostError extends Error {
  override readonly name = "LeaseLostError";
}

/** Whoever runs the builder told it to stop: the lease goes back. */
export class ReleasedError extends Error {
  override readonly name = "ReleasedError";
}

/** The reason of an aborted signal, as an error to throw. */
export function reasonOf(signal: AbortSignal): Error {
  const { reason } = signal;
  return reason instanceof Error ? reason : new ReleasedError("the builder was told to stop");
}

/** Resolves after so long; rejects with the signal's reason as soon as it is aborted. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) throw reasonOf(signal);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  const stop = () => reject(reasonOf(signal));
  signal.addEventListener("abort", stop, { once: true });
  try {
    await promise;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
  }
}
