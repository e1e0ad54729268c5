/** Times and dates against the platform's `Date`, which counts days another way. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  dayOf,
  formatDate,
  formatTimestamp,
  isCanonicalTimestamp,
  parseDate,
  parseTimestamp,
} from "../../schemas/time.ts";

/** All microseconds that are exact as a double and have a year of four digits: 1685 to 2255. */
const micros = fc.maxSafeInteger();
const digits = (length: number) =>
  fc.integer({ min: 0, max: 10 ** length - 1 }).map((n) => String(n).padStart(length, "0"));
/** Texts of the shape of a time, days and hours that do not exist included. */
const parts = fc.record({
  year: fc.oneof(fc.integer({ min: 1686, max: 2254 }), fc.constantFrom(1900, 1972, 2000, 2100)),
  month: fc.integer({ min: 0, max: 13 }),
  day: fc.integer({ min: 0, max: 32 }),
  hour: fc.integer({ min: 0, max: 25 }),
  minute: fc.integer({ min: 0, max: 61 }),
  second: fc.integer({ min: 0, max: 61 }),
  fraction: fc.option(fc.integer({ min: 1, max: 9 }).chain(digits), { nil: undefined }),
  offset: fc.oneof(
    fc.constantFrom("Z", "z"),
    fc.tuple(fc.constantFrom("+", "-"), fc.integer({ min: 0, max: 25 }), fc.integer({ min: 0, max: 61 })),
  ),
});
const two = (n: number) => String(n).padStart(2, "0");

describe("timestamps", () => {
  test("formatting and parsing are inverse, and the text is canonical", () => {
    fc.assert(
      fc.property(micros, (value) => {
        const text = formatTimestamp(value);
        expect(parseTimestamp(text)).toBe(value);
        expect(isCanonicalTimestamp(text)).toBe(true);
        expect(Date.parse(text)).toBe(Math.floor(value / 1_000));
      }),
    );
  });

  test("a text is a time exactly when Date says so, and the same one", () => {
    fc.assert(
      fc.property(parts, ({ year, month, day, hour, minute, second, fraction, offset }) => {
        const zone = typeof offset === "string" ? offset : `${offset[0]}${two(offset[1])}:${two(offset[2])}`;
        const text = `${year}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}:${two(second)}${fraction === undefined ? "" : `.${fraction}`}${zone}`;
        const midnight = new Date(Date.UTC(year, month - 1, day));
        const isDay = midnight.getUTCMonth() === month - 1 && midnight.getUTCDate() === day;
        const [offsetHours, offsetMinutes] = typeof offset === "string" ? [0, 0] : [offset[1], offset[2]];
        const isTime = hour < 24 && minute < 60 && second < 60 && offsetHours < 24 && offsetMinutes < 60;
        const parsed = parseTimestamp(text);
        if (!isDay || !isTime) {
          expect(parsed).toBeUndefined();
          return;
        }
        const ahead = typeof offset === "string" || offset[0] === "+" ? 1 : -1;
        const seconds =
          Date.UTC(year, month - 1, day, hour, minute, second) / 1_000 -
          ahead * (offsetHours * 3_600 + offsetMinutes * 60);
        const expected = BigInt(seconds) * 1_000_000n + BigInt((fraction ?? "0").padEnd(6, "0").slice(0, 6));
        expect(parsed).toBe(Number(expected));
        expect(isCanonicalTimestamp(text)).toBe(formatTimestamp(Number(expected)) === text);
      }),
      { numRuns: 2_000 },
    );
  });

  test("a fraction has as many digits as its producer likes", () => {
    const second = parseTimestamp("2026-11-21T12:00:00Z") ?? 0;
    expect(parseTimestamp(`2026-11-21T12:00:00.${"123456789".repeat(30)}Z`)).toBe(second + 123_456);
    expect(parseTimestamp("2026-11-21t12:00:00.1-00:00")).toBe(second + 100_000);
  });

  test("a leap second is 23:59:60 UTC at the end of a month, and the second after it", () => {
    const newYear = parseTimestamp("2017-01-01T00:00:00Z");
    expect(newYear).toBeDefined();
    for (const text of ["2016-12-31T23:59:60Z", "2017-01-01T00:59:60.000+01:00", "2016-12-31T15:59:60.0-08:00"]) {
      expect(parseTimestamp(text)).toBe(newYear);
      expect(isCanonicalTimestamp(text)).toBe(false);
    }
    expect(isCanonicalTimestamp("2016-12-31T23:59:60.000Z")).toBe(false);
    expect(isCanonicalTimestamp("2016-12-31T23:59:60.000001Z")).toBe(false);
    expect(parseTimestamp("2015-06-30T23:59:60.25Z")).toBe(parseTimestamp("2015-07-01T00:00:00.25Z") ?? 0);
    for (const text of [
      "2016-12-30T23:59:60Z",
      "2016-12-31T23:58:60Z",
      "2016-12-31T22:59:60Z",
      "2016-12-31T23:59:60+01:00",
      "2016-12-31T23:59:61Z",
    ])
      expect(parseTimestamp(text)).toBeUndefined();
  });

  test("other texts are no times", () => {
    for (const text of [
      "",
      "2026-11-21",
      "2026-11-21T12:00:00",
      "2026-11-21 12:00:00Z",
      "2026-11-21T12:00:00.Z",
      "2026-11-21T12:00Z",
      "+002026-11-21T12:00:00Z",
      "2026-11-21T12:00:00+0100",
      " 2026-11-21T12:00:00Z",
      "2026-11-21T12:00:00Z\n",
      "1600-01-01T00:00:00Z",
      "9999-12-31T23:59:59Z",
    ])
      expect(parseTimestamp(text)).toBeUndefined();
  });
});

describe("dates", () => {
  const days = fc.integer({ min: -719_528, max: 2_932_896 }); // 0000-01-01 to 9999-12-31

  test("formatting and parsing are inverse, as Date counts", () => {
    fc.assert(
      fc.property(days, (value) => {
        const text = formatDate(value);
        expect(parseDate(text)).toBe(value);
        expect(Date.parse(`${text}T00:00:00Z`)).toBe(value * 86_400_000);
      }),
    );
  });

  test("the day of a time is the date of its text", () => {
    fc.assert(
      fc.property(micros, (value) => {
        expect(formatDate(dayOf(value))).toBe(formatTimestamp(value).slice(0, 10));
      }),
    );
  });

  test("days that no calendar has are refused", () => {
    for (const text of [
      "2026-02-29",
      "1900-02-29",
      "2026-00-01",
      "2026-13-01",
      "2026-04-31",
      "2026-4-1",
      "26-04-01",
      "2026-04-01 ",
    ])
      expect(parseDate(text)).toBeUndefined();
    expect(parseDate("2000-02-29")).toBe(11_016);
  });
});
