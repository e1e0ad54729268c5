/** How much of what was received reaches the published table: the service level `completeness`, measured on the ledger. Pure. */
import type { HourBalance } from "./balance.ts";

/** Of a topic's events received on one UTC date, as far as the hours given tell. */
export interface Completeness {
  readonly topic: string;
  readonly date: string;
  /** Accepted or refused, an event that was refused and replayed once. Copies count. */
  readonly received: number;
  /** Refused and not replayed, quarantined, parked, expired, or nowhere. What is on its way to silver is not missing. */
  readonly missing: number;
  /** The share that is not missing, rounded down to thousandths, so that 100 is all. */
  readonly percent: number;
}

/** By topic and date, in this order; dates on which nothing was received are left out. */
export function completenessByDay(hours: readonly HourBalance[]): Completeness[] {
  const days = Map.groupBy(hours, ({ topic, hour }) => `${topic} ${hour.slice(0, 10)}`);
  return [...days].flatMap(([key, ofDay]) => {
    const [topic = "", date = ""] = key.split(" ");
    const received = total(ofDay, ({ accepted, rejected, replayed }) => accepted + rejected - replayed);
    const missing = total(
      ofDay,
      ({ rejected, replayed, quarantined, parked, expired, difference }) =>
        rejected - replayed + quarantined + parked + expired + Math.max(0, difference),
    );
    if (received <= 0) return [];
    const percent = Math.floor((100_000 * (received - missing)) / received) / 1_000;
    return [{ topic, date, received, missing, percent }];
  });
}

/** Far below an event, and above what 100 - 99.9 is wrong by. */
const ROUNDING = 1e-6;

/** Whether more is missing than a promise of `promised` percent allows. */
export function isIncomplete({ received, missing }: Completeness, promised: number): boolean {
  return missing > (received * (100 - promised)) / 100 + ROUNDING;
}

function total(hours: readonly HourBalance[], events: (hour: HourBalance) => number): number {
  return hours.reduce((sum, hour) => sum + events(hour), 0);
}
