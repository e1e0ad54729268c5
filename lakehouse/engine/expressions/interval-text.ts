/** Reads INTERVAL literals: `1 day`, `-2 hours 30 minutes`, `1 month 02:03:04.5`, `3 weeks ago`. */
import type { Interval } from "./intervals.ts";

const units: Readonly<Record<string, (count: number) => Interval>> = {
  millennium: (count) => ({ months: 12_000 * count, days: 0, micros: 0n }),
  century: (count) => ({ months: 1200 * count, days: 0, micros: 0n }),
  decade: (count) => ({ months: 120 * count, days: 0, micros: 0n }),
  year: (count) => ({ months: 12 * count, days: 0, micros: 0n }),
  quarter: (count) => ({ months: 3 * count, days: 0, micros: 0n }),
  month: (count) => ({ months: count, days: 0, micros: 0n }),
  week: (count) => ({ months: 0, days: 7 * count, micros: 0n }),
  day: (count) => ({ months: 0, days: count, micros: 0n }),
  hour: (count) => ({ months: 0, days: 0, micros: BigInt(count) * 3_600_000_000n }),
  minute: (count) => ({ months: 0, days: 0, micros: BigInt(count) * 60_000_000n }),
  second: (count) => ({ months: 0, days: 0, micros: BigInt(count) * 1_000_000n }),
  millisecond: (count) => ({ months: 0, days: 0, micros: BigInt(count) * 1000n }),
  microsecond: (count) => ({ months: 0, days: 0, micros: BigInt(count) }),
};

const aliases: Readonly<Record<string, readonly string[]>> = {
  millennium: ["millennia"],
  century: ["centuries", "cent", "c"],
  decade: ["decades", "dec", "decs"],
  year: ["years", "y", "yr", "yrs"],
  quarter: ["quarters"],
  month: ["months", "mon", "mons"],
  week: ["weeks", "w"],
  day: ["days", "d", "dayofmonth"],
  hour: ["hours", "h", "hr", "hrs"],
  minute: ["minutes", "m", "min", "mins"],
  second: ["seconds", "s", "sec", "secs"],
  millisecond: ["milliseconds", "ms", "msec", "msecs"],
  microsecond: ["microseconds", "us", "usec", "usecs"],
};

const byName: ReadonlyMap<string, (count: number) => Interval> = new Map(
  Object.entries(units).flatMap(([name, make]) =>
    [name, ...(aliases[name] ?? [])].map((each) => [each, make] as const),
  ),
);

const PART = /^(-?\d{1,9}) *([a-z]+) */i;
const CLOCK = /^(-?)(\d{1,4}):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)? *$/;

/** The interval that the text says; undefined when it is no plain literal (fractions such as `1.5 days` are none). */
export function parseInterval(text: string): Interval | undefined {
  let rest = text.trim();
  let sum: Interval = { months: 0, days: 0, micros: 0n };
  const ago = /\bago$/i.test(rest);
  if (ago) rest = rest.slice(0, -"ago".length).trimEnd();
  if (rest === "") return undefined;
  while (rest !== "") {
    const clock = clockPart(rest);
    const match = clock === undefined ? PART.exec(rest) : null;
    const part = clock ?? (match === null ? undefined : byName.get(match[2]!.toLowerCase())?.(Number(match[1])));
    if (part === undefined) return undefined;
    sum = { months: sum.months + part.months, days: sum.days + part.days, micros: sum.micros + part.micros };
    rest = match === null ? "" : rest.slice(match[0].length);
  }
  return ago ? { months: -sum.months, days: -sum.days, micros: -sum.micros } : sum;
}

function clockPart(text: string): Interval | undefined {
  const match = CLOCK.exec(text);
  if (match === null) return undefined;
  const [, sign, hours, minutes, seconds = "0", fraction = ""] = match;
  if (Number(minutes) > 59 || Number(seconds) > 59) return undefined;
  const micros =
    BigInt(Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1_000_000n +
    BigInt(fraction.padEnd(6, "0"));
  return { months: 0, days: 0, micros: sign === "-" ? -micros : micros };
}
