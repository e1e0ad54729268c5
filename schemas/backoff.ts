/** How long to wait between tries of what failed. Pure: chance comes in. */

/** Waits double from `first` to `longest`, in the unit that both have. */
export interface Backoff {
  readonly first: number;
  readonly longest: number;
}

/** The wait before the next try after so many failures; 0 counts as the first. */
export function waitAfter({ first, longest }: Backoff, failures: number): number {
  return Math.min(longest, first * 2 ** Math.min(failures, 30));
}

/** The same, but for a random part of its upper half, so that what failed together does not come back together; `random` is in [0, 1). */
export function scatteredWaitAfter(backoff: Backoff, failures: number, random: number): number {
  return Math.round(waitAfter(backoff, failures) * (0.5 + random / 2));
}
