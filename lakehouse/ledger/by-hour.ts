/** Events of the ledger by the hour of their reception. */

export interface EventsOfHour {
  /** YYYY-MM-DDTHH:00:00Z. */
  readonly hour: string;
  readonly events: number;
}

const HOUR_MICROS = 3_600_000_000;

/** Counts times of reception, in microseconds, by hour; earliest first. */
export function eventsByHour(received: Iterable<number | bigint>): EventsOfHour[] {
  const hours = new Map<number, number>();
  for (const micros of received) {
    const hour = Math.floor(Number(micros) / HOUR_MICROS);
    hours.set(hour, (hours.get(hour) ?? 0) + 1);
  }
  return [...hours]
    .sort(([a], [b]) => a - b)
    .map(([hour, events]) => ({ hour: `${new Date(hour * 3_600_000).toISOString().slice(0, 13)}:00:00Z`, events }));
}
