/**
 * Dates and times that calls take. Each is one pattern, which both the document and the route go by: what matches is a date
 * that the calendar has and a time that fits microseconds, so a route never refuses what the document allows.
 */
import * as z from "zod";
import { parseDate, parseTimestamp } from "../../schemas/time.ts";

/** The years 1700 to 2199: all of their times in microseconds are whole numbers that a double holds. */
const CENTURY = "(?:1[7-9]|2[01])";
const LEAP_DAY = `(?:${CENTURY}(?:0[48]|[2468][048]|[13579][26])|2000)-02-29`;
const OTHER_DAY = String.raw`${CENTURY}\d\d-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\d|30)|02-(?:0[1-9]|1\d|2[0-8]))`;
const DAY = `(?:${LEAP_DAY}|${OTHER_DAY})`;
const MINUTE = String.raw`(?:[01]\d|2[0-3]):[0-5]\d`;
const SECOND = String.raw`${MINUTE}:[0-5]\d(?:\.\d{1,6})?`;

const YEARS = "of the years 1700 to 2199";
const A_DATE = "expected a date such as 2026-01-31";

/** A day of the calendar; `date` reads one from a query or a body. */
export const DATE_PATTERN = new RegExp(`^${DAY}$`);

export const date = z.string().regex(DATE_PATTERN, `${A_DATE}, ${YEARS}`);

/** A day, or an RFC 3339 time; `microsOf` reads it. */
export const dateOrTime = z
  .string()
  .regex(
    new RegExp(`^${DAY}(?:T${SECOND}(?:Z|[+-]${MINUTE}))?$`),
    `${A_DATE} or a time such as 2026-01-31T12:00:00Z, ${YEARS}`,
  );

/** A day, or a time in UTC, of which seconds may be left out. */
export const dateOrUtcTime = z
  .string()
  .regex(
    new RegExp(`^${DAY}(?:T(?:${SECOND}|${MINUTE})Z)?$`),
    `${A_DATE} or a UTC time such as 2026-01-31T12:00:00Z, ${YEARS}`,
  );

/** A time in UTC. */
export const utcTime = z
  .string()
  .regex(new RegExp(`^${DAY}T${SECOND}Z$`), `expected a UTC time such as 2026-01-31T12:00:00.000Z, ${YEARS}`);

/** Microseconds since the epoch of what `dateOrTime` takes; a date is its midnight, UTC. */
export function microsOf(text: string): number | undefined {
  const day = parseDate(text);
  return day === undefined ? parseTimestamp(text) : day * 86_400_000_000;
}
