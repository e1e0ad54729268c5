import { expect, test } from "vitest";
import {
  counted,
  hoursOf,
  mayRun,
  noHours,
  started,
  stopped,
} from "../../../../durable-objects/native-builder/hours.ts";

const at = (time: string): number => Date.parse(time);

test("hours are counted from a start to a stop, over several runs of a month", () => {
  let hours = noHours(at("2026-11-03T08:00:00Z"));
  hours = started(hours, at("2026-11-03T08:00:00Z"));
  hours = counted(hours, at("2026-11-03T08:30:00Z"));
  hours = stopped(hours, at("2026-11-03T09:00:00Z"));
  hours = counted(hours, at("2026-11-10T00:00:00Z"));
  expect(hoursOf(hours)).toBe(1);
  hours = stopped(started(hours, at("2026-11-12T00:00:00Z")), at("2026-11-12T00:15:00Z"));
  expect(hoursOf(hours)).toBe(1.25);
});

test("a month begins with what runs in it: neither the hours of the month before nor its part of a run over midnight", () => {
  const running = started(noHours(at("2026-11-30T20:00:00Z")), at("2026-11-30T20:00:00Z"));
  const later = counted(running, at("2026-12-01T02:00:00Z"));
  expect(later.month).toBe("2026-12");
  expect(hoursOf(later)).toBe(2);
  // Two months in which nobody asked.
  expect(hoursOf(counted(running, at("2027-02-01T01:00:00Z")))).toBe(1);
  expect(hoursOf(counted(stopped(running, at("2026-11-30T21:00:00Z")), at("2026-12-01T02:00:00Z")))).toBe(0);
});

test("the ceiling holds to the millisecond, and none lets it run where it is 0", () => {
  const now = at("2026-11-03T08:00:00Z");
  const running = started(noHours(now), now);
  expect(mayRun(counted(running, now + 2 * 3_600_000 - 1), 2)).toBe(true);
  expect(mayRun(counted(running, now + 2 * 3_600_000), 2)).toBe(false);
  expect(mayRun(noHours(now), 0)).toBe(false);
});

test("a clock that goes back takes no hours away, and a stop that is told twice counts once", () => {
  const now = at("2026-11-03T08:00:00Z");
  const hour = counted(started(noHours(now), now), now + 3_600_000);
  expect(hoursOf(counted(hour, now))).toBe(1);
  expect(hoursOf(stopped(stopped(hour, now + 7_200_000), now + 9_000_000))).toBe(2);
});
