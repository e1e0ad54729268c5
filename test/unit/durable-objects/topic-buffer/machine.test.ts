import { describe, expect, test } from "vitest";
import {
  alarmToSet,
  type BufferState,
  nextAlarm,
  nextStep,
  retryDelay,
} from "../../../../durable-objects/topic-buffer/machine.ts";
import { hourOf, oldestHour, packId } from "../../../../durable-objects/topic-buffer/remembered-ids.ts";
import { uuidAt } from "../../../oracle/frames.ts";

const LIMITS = { bytes: 1_000, rows: 10, ageMs: 60_000 };
const NOW = 1_000_000;

function open(rows: number, bytes: number, oldestAt: number | null): BufferState {
  return { open: { rows, bytes, oldestAt }, flush: null };
}

function flush(step: "frozen" | "written" | "registered", notBefore = 0): BufferState {
  return { open: { rows: 100, bytes: 100_000, oldestAt: 0 }, flush: { seq: 4, step, attempts: 1, notBefore } };
}

describe("nextStep", () => {
  test("nothing buffered sleeps until the next append", () => {
    expect(nextStep(open(0, 0, null), LIMITS, NOW)).toEqual({ do: "sleep", until: null });
    expect(nextAlarm(open(0, 0, null), LIMITS, NOW)).toBeNull();
  });

  test("freezes by rows, by bytes, by age, and not before", () => {
    expect(nextStep(open(9, 999, NOW - 59_999), LIMITS, NOW)).toEqual({ do: "sleep", until: NOW + 1 });
    expect(nextStep(open(10, 1, NOW), LIMITS, NOW)).toEqual({ do: "freeze" });
    expect(nextStep(open(1, 1_000, NOW), LIMITS, NOW)).toEqual({ do: "freeze" });
    expect(nextStep(open(1, 1, NOW - 60_000), LIMITS, NOW)).toEqual({ do: "freeze" });
  });

  test("what was appended before an operator asked is due, what came after is not", () => {
    const asked = { ...LIMITS, dueThrough: NOW - 5_000 };
    expect(nextStep(open(1, 1, NOW - 5_000), asked, NOW)).toEqual({ do: "freeze" });
    expect(nextStep(open(1, 1, NOW - 4_999), asked, NOW)).toEqual({ do: "sleep", until: NOW + 55_001 });
    expect(nextAlarm(open(1, 1, NOW - 5_000), asked, NOW)).toBe(NOW);
  });

  test("one flush at a time, step by step, whatever waits behind it", () => {
    expect(nextStep(flush("frozen"), LIMITS, NOW)).toEqual({ do: "write", seq: 4 });
    expect(nextStep(flush("written"), LIMITS, NOW)).toEqual({ do: "register", seq: 4 });
    expect(nextStep(flush("registered"), LIMITS, NOW)).toEqual({ do: "forget", seq: 4 });
    expect(nextStep(flush("written", NOW + 5), LIMITS, NOW)).toEqual({ do: "sleep", until: NOW + 5 });
    expect(nextAlarm(flush("written"), LIMITS, NOW)).toBe(NOW);
  });

  test("a clock that went back holds nothing up: neither a block nor a retry from the future waits", () => {
    expect(nextStep(open(1, 1, NOW + 1), LIMITS, NOW)).toEqual({ do: "freeze" });
    expect(nextStep(flush("frozen", NOW + 864_000_000), LIMITS, NOW)).toEqual({ do: "write", seq: 4 });
  });
});

describe("alarmToSet", () => {
  test("is the earlier of the two, and none without need", () => {
    expect(alarmToSet(null, null, 0)).toBeUndefined();
    expect(alarmToSet(null, 5, 0)).toBe(5);
    expect(alarmToSet(9, 5, 0)).toBe(5);
    expect(alarmToSet(5, 5, 0)).toBeUndefined();
    expect(alarmToSet(3, 5, 0)).toBeUndefined();
    expect(alarmToSet(null, 5, 7)).toBe(7);
    expect(alarmToSet(6, 5, 7)).toBeUndefined();
  });
});

test("retries back off from a second to five minutes, jittered over the upper half", () => {
  expect([0, 1, 2, 8, 9, 1_000].map((attempts) => retryDelay(attempts, 0))).toEqual([
    500, 1_000, 2_000, 128_000, 150_000, 150_000,
  ]);
  expect(retryDelay(9, 0.999_999_9)).toBe(300_000);
});

describe("message ids", () => {
  test("their hour is in their first 48 bits; nine days of hours are remembered", () => {
    const hour = 3_600_000;
    const now = Date.UTC(2026, 10, 21, 12, 30);
    expect(hourOf(uuidAt(now, 1))).toBe(Math.floor(now / hour));
    expect(oldestHour(now)).toBe(Math.floor(now / hour) - 9 * 24);
  });

  test("pack into sixteen bytes; other texts are refused", () => {
    expect(Buffer.from(packId("019307a0-1234-7000-8000-0000000000ff")).toString("hex")).toBe(
      "019307a0123470008000" + "0000000000ff",
    );
    expect(() => packId("message-1")).toThrow(TypeError);
  });
});
