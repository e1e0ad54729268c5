/**
 * Dates and timestamps from text, as DuckDB's casts read them: `2024-1-5`, `2024/01/05`, `-44-03-15`, `0044-03-15 (BC)`,
 * `epoch`, `infinity`; with `T` or a space, a clock, and `Z`, an offset or `UTC` behind it. Each reader gives undefined for
 * what the cast refuses.
 */
import { DuckDbValueError } from "../ir/errors.ts";
import { checkedDays, infiniteTime, isFiniteTime, MICROS_PER_DAY, timestampOf } from "./calendar.ts";

const SPACE = "[ \\t\\n\\v\\f\\r]";
const DATE = new RegExp(`^${SPACE}*(-?)(\\d{1,9})([-/ \\\\])(\\d{1,2})\\3(\\d{1,2})(${SPACE}\\([bB][cC]\\))?`);
const SPECIAL = new RegExp(`^${SPACE}*(-?)(?:(infinity|epoch)${SPACE}*|inf)$`, "i");
const CLOCK = new RegExp(`^[ T]?${SPACE}*(\\d{1,9}):(?:(\\d{1,2})(?::(\\d{1,2})(?:\\.(\\d*))?)?)?`);
const OFFSET = /^([+-])(\d\d)(?::?(\d\d)|:)?(?:(?<=:\d\d):(\d\d)?)?/;
const ZONE = /^ ([A-Za-z0-9_/+-]*)/;
const ENDS = new RegExp(`^${SPACE}*$`);

/** The last days that a DATE holds: the two beyond them are the infinite ones. */
const MAX_DAYS = 2 ** 31 - 2;
/** DuckDB's first timestamp is a midnight, not the smallest number. */
const MIN_TIMESTAMP = -9_223_372_022_400_000_000n;

interface DateText {
  readonly days: bigint;
  /** What stands behind the date; undefined behind `epoch` and `infinity`. */
  readonly rest: string | undefined;
}

function readDate(text: string): DateText | undefined {
  const special = SPECIAL.exec(text);
  if (special !== null) {
    const epoch = special[2]?.toLowerCase() === "epoch";
    return { days: epoch ? 0n : infiniteTime("date", special[1] === "-"), rest: undefined };
  }
  const match = DATE.exec(text);
  if (match === null) return undefined;
  const [whole, sign, digits, , month, day, era] = match;
  const year = Number(digits);
  if (era !== undefined && (sign === "-" || year === 0)) return undefined;
  const days = checkedDays(era !== undefined ? 1 - year : sign === "-" ? -year : year, Number(month), Number(day));
  if (days === undefined || Math.abs(days) > MAX_DAYS) return undefined;
  const rest = text.slice(whole.length);
  return /^\d/.test(rest) ? undefined : { days: BigInt(days), rest };
}

/** A date, in days; what stands behind it is not looked at, as DuckDB does not. */
export function parseDate(text: string): bigint | undefined {
  return readDate(text)?.days;
}

/**
 * A timestamp, in microseconds. `zoned` applies an offset, a TIMESTAMP drops it. Throws `ModelValueError` for the name of
 * a time zone other than UTC, which DuckDB would read: a NULL of TRY_CAST would be another answer.
 */
export function parseTimestamp(text: string, zoned: boolean): bigint | undefined {
  const date = readDate(text);
  if (date === undefined) return undefined;
  if (date.rest === undefined || date.rest === "") return inRange(timestampOf(date.days));
  const clock = CLOCK.exec(date.rest);
  const time = clock === null ? undefined : clockMicros(clock);
  if (clock === null || time === undefined) return undefined;
  const behind = date.rest.slice(clock[0].length);
  // Behind a clock without seconds nothing may follow.
  const offset = clock[3] === undefined && behind !== "" ? undefined : readZone(behind, zoned);
  if (offset === undefined) return undefined;
  return inRange(date.days * BigInt(MICROS_PER_DAY) + time - (zoned ? offset : 0n));
}

function inRange(micros: bigint): bigint | undefined {
  if (!isFiniteTime(micros, "timestamp")) return micros;
  return micros >= MIN_TIMESTAMP && micros < infiniteTime("timestamp", false) ? micros : undefined;
}

/** 24:00:00 is the end of the day. Digits behind the microseconds are cut off. */
function clockMicros([, hour, minute = "0", second = "0", fraction = ""]: RegExpExecArray): bigint | undefined {
  if (Number(minute) > 59 || Number(second) > 59) return undefined;
  const seconds = Number(hour) * 3600 + Number(minute) * 60 + Number(second);
  const micros = BigInt(seconds) * 1_000_000n + BigInt(fraction.slice(0, 6).padEnd(6, "0"));
  return micros > BigInt(MICROS_PER_DAY) ? undefined : micros;
}

/** Microseconds east of UTC. */
function readZone(text: string, zoned: boolean): bigint | undefined {
  if (text === "") return 0n;
  if (text.startsWith("Z")) return ENDS.test(text.slice(1)) ? 0n : undefined;
  const offset = OFFSET.exec(text);
  if (offset !== null) {
    const [whole, sign, hours, minutes = "0", seconds = "0"] = offset;
    if (!ENDS.test(text.slice(whole.length))) return undefined;
    const size = BigInt(Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1_000_000n;
    return sign === "-" ? -size : size;
  }
  const zone = ZONE.exec(text);
  if (zone === null || !ENDS.test(text.slice(zone[0].length))) return undefined;
  const name = (zone[1] ?? "").toLowerCase();
  if (name === "" || name === "utc") return 0n;
  if (!zoned) return undefined;
  if (name === "gmt" || name === "etc/utc") return 0n;
  if (/^[a-z]/.test(name) && isTimeZone(name))
    throw new DuckDbValueError(`a timestamp in the time zone ${zone[1]} needs the native builder`);
  return undefined;
}

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}
