/** CEL's timestamps and durations, in whole microseconds: what the platform keeps of an event's times. */
import { formatTimestamp, parseTimestamp } from "../../schemas/time.ts";
import { RuleFailure } from "./failure.ts";

const SECOND = 1_000_000;
const DAY = 86_400 * SECOND;

/** Of a sum or a difference; a time beyond is none that an event can have. */
export function micros(value: number): number {
  if (!Number.isSafeInteger(value)) throw new RuleFailure("the time lies outside of the years 1685 to 2255");
  return value;
}

export function timestampOf(text: string): number {
  const time = parseTimestamp(text);
  if (time === undefined) throw new RuleFailure("the text is no RFC 3339 time such as 2026-01-31T12:00:00Z");
  if (/\.\d{6}\d*[1-9]/.test(text)) throw new RuleFailure("a time has at most six digits of a second");
  return time;
}

const UNITS: Readonly<Record<string, number>> = {
  h: 3_600 * SECOND,
  m: 60 * SECOND,
  s: SECOND,
  ms: 1_000,
  us: 1,
  µs: 1,
};
const DURATION = /^([+-]?)((?:\d+(?:\.\d+)?(?:h|m|s|ms|us|µs))+|0)$/;

/** `1h30m`, `-1.5s`, `250ms`, as Go writes them (cel-spec, "duration"), down to a microsecond. */
export function durationOf(text: string): number {
  const match = text.length > 64 ? null : DURATION.exec(text);
  if (match === null) throw new RuleFailure("the text is no duration such as 1h30m, 1.5s or 250us");
  let total = 0;
  for (const [, amount = "0", unit = "s"] of (match[2] ?? "").matchAll(/(\d+(?:\.\d+)?)(ms|us|µs|h|m|s)/g))
    total += Number(amount) * (UNITS[unit] ?? 0);
  const rounded = Math.round(total);
  if (Math.abs(total - rounded) > 1e-6 * Math.max(1, total))
    throw new RuleFailure("a duration is of whole microseconds");
  return micros(match[1] === "-" ? 0 - rounded : rounded);
}

export function durationText(duration: number): string {
  const seconds = Math.trunc(duration / SECOND);
  const rest = Math.abs(duration % SECOND);
  const fraction = rest === 0 ? "" : `.${String(rest).padStart(6, "0").replace(/0+$/, "")}`;
  return `${duration < 0 && seconds === 0 ? "-0" : seconds}${fraction}s`;
}

/** RFC 3339 without digits that say nothing. */
export function timestampText(time: number): string {
  return formatTimestamp(time).replace(/\.?0+Z$/, "Z");
}

function dateOf(time: number): Date {
  return new Date(Math.floor(time / 1_000));
}

/** By CEL's name of the function. Months, days of a month by `getDayOfMonth`, of a week and of a year count from 0. */
export const TIME_PARTS: Readonly<Record<string, (time: number) => number>> = {
  getFullYear: (time) => dateOf(time).getUTCFullYear(),
  getMonth: (time) => dateOf(time).getUTCMonth(),
  getDate: (time) => dateOf(time).getUTCDate(),
  getDayOfMonth: (time) => dateOf(time).getUTCDate() - 1,
  getDayOfWeek: (time) => dateOf(time).getUTCDay(),
  getDayOfYear: (time) => Math.floor((time - Date.UTC(dateOf(time).getUTCFullYear(), 0) * 1_000) / DAY),
  getHours: (time) => dateOf(time).getUTCHours(),
  getMinutes: (time) => dateOf(time).getUTCMinutes(),
  getSeconds: (time) => dateOf(time).getUTCSeconds(),
  getMilliseconds: (time) => dateOf(time).getUTCMilliseconds(),
};

/** The whole duration in whole units, towards zero. */
export const DURATION_PARTS: Readonly<Record<string, (duration: number) => number>> = {
  getHours: (duration) => Math.trunc(duration / (3_600 * SECOND)) + 0,
  getMinutes: (duration) => Math.trunc(duration / (60 * SECOND)) + 0,
  getSeconds: (duration) => Math.trunc(duration / SECOND) + 0,
};

/** Whole seconds since the epoch. */
export function secondsOf(time: number): number {
  return Math.floor(time / SECOND);
}

export function timestampOfSeconds(seconds: number | bigint): number {
  return micros(Number(seconds) * SECOND);
}
