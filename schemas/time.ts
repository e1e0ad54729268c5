/**
 * RFC 3339 times and calendar dates as numbers. Microseconds since the epoch fit a double exactly from the year 1685 to
 * 2255; a time outside is not representable here and is refused, never bent.
 */

const MICROS_PER_DAY = 86_400_000_000;

// The offset is captured apart: most producers send "Z", Python sends "+00:00".
const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:([Zz])|([+-])(\d\d):(\d\d))$/;

/** Days since the epoch of a proleptic Gregorian date (Howard Hinnant, "chrono-compatible low-level date algorithms", days_from_civil). */
function daysFromCivil(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

function daysInMonth(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

const ZERO = 0x30;
const HYPHEN = 0x2d;

/** Two digits at `at` as a number, or less than zero when one of them is none. */
function twoDigits(text: string, at: number): number {
  const tens = text.charCodeAt(at) - ZERO;
  const ones = text.charCodeAt(at + 1) - ZERO;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : -1;
}

/** The length of `YYYY-MM-DDTHH:MM:SS.mmmZ`. */
const CANONICAL_MILLIS = 24;
/** The length of `YYYY-MM-DDTHH:MM:SS.mmmuuuZ`. */
const CANONICAL_MICROS = 27;
/** The length of `YYYY-MM-DD`. */
const DATE_LENGTH = 10;

// Nearly all events of a request fall on one date. A pure cache: it changes no answer.
let lastDate = -1;
let lastDays = 0;

/** Days since the epoch of the `YYYY-MM-DD` that the text begins with; undefined if there is none. */
function dateAtStart(text: string): number | undefined {
  const century = twoDigits(text, 0);
  const yearOfCentury = twoDigits(text, 2);
  const month = twoDigits(text, 5);
  const day = twoDigits(text, 8);
  if ((century | yearOfCentury | month | day) < 0 || text.charCodeAt(4) !== HYPHEN || text.charCodeAt(7) !== HYPHEN)
    return undefined;
  const year = century * 100 + yearOfCentury;
  const date = (year * 128 + month) * 128 + day;
  if (date !== lastDate) {
    if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return undefined;
    lastDays = daysFromCivil(year, month, day);
    lastDate = date;
  }
  return lastDays;
}

/**
 * As `parseTimestamp`, for canonical texts only (as `formatTimestamp` writes them): the form that nearly all producers send. By
 * places, without a pattern, since admission reads a time for every event.
 */
export function parseCanonicalTimestamp(text: string): number | undefined {
  const { length } = text;
  if (length !== CANONICAL_MILLIS && length !== CANONICAL_MICROS) return undefined;
  const days = dateAtStart(text);
  const hour = twoDigits(text, 11);
  const minute = twoDigits(text, 14);
  const second = twoDigits(text, 17);
  const centis = twoDigits(text, 20);
  const milli = text.charCodeAt(22) - ZERO;
  const malformed = (hour | minute | second | centis) < 0 || milli < 0 || milli > 9;
  if (days === undefined || malformed || hour > 23 || minute > 59 || second > 59) return undefined;
  if (
    text.charCodeAt(10) !== 0x54 ||
    text.charCodeAt(13) !== 0x3a ||
    text.charCodeAt(16) !== 0x3a ||
    text.charCodeAt(19) !== 0x2e ||
    text.charCodeAt(length - 1) !== 0x5a
  ) {
    return undefined;
  }
  let micros = ((days * 86_400 + hour * 3_600 + minute * 60 + second) * 1_000 + centis * 10 + milli) * 1_000;
  if (length === CANONICAL_MICROS) {
    const tens = twoDigits(text, 23);
    const last = text.charCodeAt(25) - ZERO;
    // Without microseconds the canonical text is the shorter one.
    if (tens < 0 || last < 0 || last > 9 || tens + last === 0) return undefined;
    micros += tens * 10 + last;
  }
  return Number.isSafeInteger(micros) ? micros : undefined;
}

/**
 * Microseconds since the epoch of a date-time of RFC 3339, section 5.6, or undefined if the text is none. Digits past the
 * sixth of a fraction are cut. A leap second (section 5.7: 23:59:60 UTC, at the end of a month) is the second after it, as
 * in POSIX time.
 */
export function parseTimestamp(text: string): number | undefined {
  return parseCanonicalTimestamp(text) ?? parseAnyForm(text);
}

function parseAnyForm(text: string): number | undefined {
  const match = RFC3339.exec(text);
  if (match === null) return undefined;
  const year = Number(match[1]);
  const month = Number(match[2]);
  const day = Number(match[3]);
  const hour = Number(match[4]);
  const minute = Number(match[5]);
  const second = Number(match[6]);
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return undefined;
  if (hour > 23 || minute > 59 || second > LEAP_SECOND) return undefined;
  const fraction = match[7];
  const micros = fraction === undefined ? 0 : Number(fraction.slice(0, 6).padEnd(6, "0"));
  let offsetMinutes = 0;
  if (match[9] !== undefined) {
    const hours = Number(match[10]);
    const minutes = Number(match[11]);
    if (hours > 23 || minutes > 59) return undefined;
    offsetMinutes = (match[9] === "-" ? -1 : 1) * (hours * 60 + minutes);
  }
  const seconds = daysFromCivil(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second - offsetMinutes * 60;
  if (second === LEAP_SECOND && !beginsMonth(seconds)) return undefined;
  const result = seconds * 1_000_000 + micros;
  return Number.isSafeInteger(result) ? result : undefined;
}

const LEAP_SECOND = 60;

/** Whether a month begins at this second, in UTC. */
function beginsMonth(seconds: number): boolean {
  return seconds % 86_400 === 0 && new Date(seconds * 1_000).getUTCDate() === 1;
}

/** The canonical text of a time: UTC, "Z", three digits of fraction, or six where the microseconds need them. */
export function formatTimestamp(micros: number): string {
  const millis = Math.floor(micros / 1_000);
  const rest = micros - millis * 1_000;
  const text = new Date(millis).toISOString();
  return rest === 0 ? text : `${text.slice(0, -1)}${String(rest).padStart(3, "0")}Z`;
}

/** Whether a valid RFC 3339 text is the one `formatTimestamp` gives for its value. A leap second's never is. */
export function isCanonicalTimestamp(text: string): boolean {
  const { length } = text;
  if (length !== CANONICAL_MILLIS && !(length === CANONICAL_MICROS && !text.endsWith("000Z"))) return false;
  return text.endsWith("Z") && text[10] === "T" && text[19] === "." && text[17] !== "6";
}

/** Days since the epoch of `YYYY-MM-DD`, or undefined if the text is not a calendar date. */
export function parseDate(text: string): number | undefined {
  return text.length === DATE_LENGTH ? dateAtStart(text) : undefined;
}

/** `YYYY-MM-DD` of a number of days since the epoch. */
export function formatDate(days: number): string {
  return new Date(days * 86_400_000).toISOString().slice(0, 10);
}

/** The UTC calendar day, as days since the epoch, that a time falls on. */
export function dayOf(micros: number): number {
  return Math.floor(micros / MICROS_PER_DAY);
}
