/** Events of the ledger by the hour of their reception. */
import { hourText } from "../../schemas/hours.ts";

export interface EventsOfHour {
  /** YYYY-MM-DDTHH:00:00Z. */
  readonly hour: string;
  readonly events: number;
}

const HOUR_MICROS = 3_600_000_000;

/** Counts times of reception, in microseconds since the epoch. */
export class HourCounts {
  readonly #hours = new Map<number, number>();

  add(micros: number): void {
    const hour = Math.floor(micros / HOUR_MICROS);
    this.#hours.set(hour, (this.#hours.get(hour) ?? 0) + 1);
  }

  /** Earliest first. */
  lines(): EventsOfHour[] {
    return [...this.#hours].sort(([a], [b]) => a - b).map(([hour, events]) => ({ hour: hourText(hour), events }));
  }
}
