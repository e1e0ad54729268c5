/**
 * How long the container ran in a month, and whether it may run on. Pure: what is known and the time in (milliseconds since the epoch),
 * what is known then out.
 */

export interface Hours {
  /** UTC, as in `2026-11`. */
  readonly month: string;
  /** Counted in it so far. */
  readonly ms: number;
  /** From when on the container runs and is not counted yet; null: it does not run. */
  readonly since: number | null;
}

const HOUR_MS = 3_600_000;

export function noHours(now: number): Hours {
  return { month: monthOf(now), ms: 0, since: null };
}

/**
 * Counts up to `now`. Of a month that has begun since then only its own part counts: the one before is over, and so is its ceiling. A clock
 * that went back counts nothing.
 */
export function counted({ month, ms, since }: Hours, now: number): Hours {
  const today = monthOf(now);
  const before = today === month ? ms : 0;
  if (since === null) return { month: today, ms: before, since };
  const from = today === month ? since : Math.max(since, Date.parse(`${today}-01T00:00:00Z`));
  return { month: today, ms: before + Math.max(0, now - from), since: now };
}

export function started(hours: Hours, now: number): Hours {
  return { ...counted(hours, now), since: now };
}

export function stopped(hours: Hours, now: number): Hours {
  return { ...counted(hours, now), since: null };
}

/** `ceilingHours`: of a month; 0 lets it never run. */
export function mayRun({ ms }: Hours, ceilingHours: number): boolean {
  return ms < ceilingHours * HOUR_MS;
}

export function hoursOf({ ms }: Hours): number {
  return ms / HOUR_MS;
}

function monthOf(time: number): string {
  return new Date(time).toISOString().slice(0, 7);
}
