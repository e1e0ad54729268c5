/** Ctrl-C and termination: the first drains, the second ends the process at once. */

export interface SignalSource {
  on(signal: NodeJS.Signals, listener: () => void): unknown;
  removeAllListeners(signal: NodeJS.Signals): unknown;
}

export const STOP_SIGNALS: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"];

/** One Ctrl-C may arrive twice, from the terminal and from npm: what comes this soon after the first (ms) is the first. */
const SAME_KEY_PRESS_MS = 500;

/** Calls `first` once, then `second`. Replaces earlier listeners: Miniflare's own would end the process before anything is drained. */
export function onStopSignals(
  first: () => void,
  second: () => void,
  source: SignalSource = process,
  now: () => number = () => performance.now(),
): void {
  let firstAt: number | undefined;
  const listener = () => {
    if (firstAt === undefined) {
      firstAt = now();
      first();
    } else if (now() - firstAt >= SAME_KEY_PRESS_MS) {
      second();
    }
  };
  for (const signal of STOP_SIGNALS) {
    source.removeAllListeners(signal);
    source.on(signal, listener);
  }
}
