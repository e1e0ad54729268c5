/** Hours of UTC as the ledger and the catalog write them: `2026-11-21T05:00:00Z`. Their texts compare as the hours do. */

export const HOUR_MS = 3_600_000;

/** Of an hour counted from the epoch. */
export function hourText(hour: number): string {
  return `${new Date(hour * HOUR_MS).toISOString().slice(0, 13)}:00:00Z`;
}

/** Of the hour that holds a time, milliseconds since the epoch. */
export function hourTextAt(ms: number): string {
  return hourText(Math.floor(ms / HOUR_MS));
}
