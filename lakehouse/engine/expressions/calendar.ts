/**
 * The proleptic Gregorian calendar on days since 1970-01-01, without `Date` (which ends at year 275760 and is slower).
 * Algorithms: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil and civil_from_days.
 */
export interface CivilDate {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  /** 1 to 31. */
  readonly day: number;
}

export const MICROS_PER_DAY = 86_400_000_000;

export function civilFromDays(days: number): CivilDate {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1;
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day };
}

export function daysFromCivil(year: number, month: number, day: number): number {
  const marchYear = month <= 2 ? year - 1 : year;
  const era = Math.floor(marchYear / 400);
  const yearOfEra = marchYear - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

/** ISO weekday, Monday 1 to Sunday 7 (1970-01-01 was a Thursday). */
export function isoWeekday(days: number): number {
  return ((((days + 3) % 7) + 7) % 7) + 1;
}

/** Splits microseconds since the epoch into whole days, rounded down, and the microseconds of that day. */
export function splitMicros(micros: bigint): { readonly days: number; readonly micros: number } {
  const near = Number(micros);
  if (Number.isSafeInteger(near)) {
    const days = Math.floor(near / MICROS_PER_DAY);
    return { days, micros: near - days * MICROS_PER_DAY };
  }
  const perDay = BigInt(MICROS_PER_DAY);
  const rest = ((micros % perDay) + perDay) % perDay;
  return { days: Number((micros - rest) / perDay), micros: Number(rest) };
}

/** Days of a year, month and day from outside; `undefined` when there is no such day. */
export function checkedDays(year: number, month: number, day: number): number | undefined {
  if (month < 1 || month > 12 || day < 1) return undefined;
  const days = daysFromCivil(year, month, day);
  const back = civilFromDays(days);
  return back.month === month && back.day === day ? days : undefined;
}

/** How many days the month of the year has. */
export function daysOfMonth(year: number, month: number): number {
  return daysFromCivil(month === 12 ? year + 1 : year, (month % 12) + 1, 1) - daysFromCivil(year, month, 1);
}

/** DuckDB's infinite dates and timestamps are the greatest number of their width and its negative. */
const INFINITE = { date: 2n ** 31n - 1n, timestamp: 2n ** 63n - 1n };

/** Whether a date (in days) or a timestamp (in microseconds) is none of the two infinite ones. */
export function isFiniteTime(value: bigint, kind: "date" | "timestamp" | "timestamptz"): boolean {
  const limit = kind === "date" ? INFINITE.date : INFINITE.timestamp;
  return value !== limit && value !== -limit;
}

/** The infinite date or timestamp, or the one before all others. */
export function infiniteTime(kind: "date" | "timestamp", negative: boolean): bigint {
  return negative ? -INFINITE[kind] : INFINITE[kind];
}

/** Midnight of a date as a timestamp; an infinite date is an infinite timestamp. */
export function timestampOf(days: bigint): bigint {
  if (isFiniteTime(days, "date")) return days * BigInt(MICROS_PER_DAY);
  return days > 0n ? INFINITE.timestamp : -INFINITE.timestamp;
}

/** The date of a timestamp; an infinite timestamp has an infinite date. */
export function dateOf(micros: bigint): bigint {
  if (isFiniteTime(micros, "timestamp")) return BigInt(splitMicros(micros).days);
  return micros > 0n ? INFINITE.date : -INFINITE.date;
}

/** As DuckDB writes a date: four digits of year at least, and `(BC)` after years before 1. */
export function dateText(days: number): string {
  const { year, month, day } = civilFromDays(days);
  const era = year <= 0 ? " (BC)" : "";
  const text = `${String(year <= 0 ? 1 - year : year).padStart(4, "0")}-${pad(month)}-${pad(day)}`;
  return text + era;
}

/** `HH:MM:SS`, with a fraction only when there is one, without its trailing zeros. */
export function timeText(microsOfDay: number): string {
  const seconds = Math.floor(microsOfDay / 1_000_000);
  const fraction = microsOfDay % 1_000_000;
  const clock = `${pad(Math.floor(seconds / 3600))}:${pad(Math.floor(seconds / 60) % 60)}:${pad(seconds % 60)}`;
  return fraction === 0 ? clock : `${clock}.${String(fraction).padStart(6, "0").replace(/0+$/, "")}`;
}

function pad(value: number): string {
  return String(value).padStart(2, "0");
}
