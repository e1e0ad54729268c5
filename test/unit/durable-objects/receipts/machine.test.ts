import { expect, test } from "vitest";
import {
  alarmOf,
  KEPT_MS,
  type Receipt,
  retryDelay,
  stepForAlarm,
  stepForBegin,
  stepForSubmit,
} from "../../../../durable-objects/receipts/machine.ts";

const NOW = 1_795_262_400_000;
const begun: Receipt = {
  requestId: "r1",
  received: NOW * 1_000 + 999,
  phase: "begun",
  fingerprint: null,
  attempts: 0,
  notBefore: 0,
};
const prepared: Receipt = { ...begun, phase: "prepared", fingerprint: "f1", attempts: 1, notBefore: NOW + 10_000 };
const done: Receipt = { ...prepared, phase: "done", attempts: 0, notBefore: 0 };

test("a key is new, being judged, or taken; after 24 h it is new again", () => {
  expect(stepForBegin(null, NOW)).toBe("start");
  expect(stepForBegin(begun, NOW)).toBe("judge");
  expect([prepared, done].map((receipt) => stepForBegin(receipt, NOW + KEPT_MS - 1))).toEqual(["resume", "resume"]);
  expect([begun, prepared, done].map((receipt) => stepForBegin(receipt, NOW + KEPT_MS))).toEqual([
    "start",
    "start",
    "start",
  ]);
});

test("the first submit commits; then the same body is delivered or its answer repeated and another one refused", () => {
  expect(stepForSubmit(begun, "f1", "r1", NOW)).toBe("commit");
  expect(stepForSubmit(begun, "f1", "r0", NOW)).toBe("lost");
  expect(stepForSubmit(begun, "f1", null, NOW)).toBe("lost");
  expect(stepForSubmit(prepared, "f1", "r1", NOW)).toBe("deliver");
  expect(stepForSubmit(prepared, "f2", "r1", NOW)).toBe("refuse");
  expect(stepForSubmit(done, "f1", null, NOW)).toBe("repeat");
  expect(stepForSubmit(done, "f1", null, NOW + KEPT_MS)).toBe("lost");
});

test("the alarm goes on with what is unsent, not before its time, and forgets after a day", () => {
  expect(stepForAlarm(prepared, NOW)).toBe("sleep");
  expect(stepForAlarm(prepared, NOW + 10_000)).toBe("deliver");
  expect(stepForAlarm(done, NOW + 10_000)).toBe("sleep");
  expect(stepForAlarm(prepared, NOW + KEPT_MS)).toBe("forget");
  expect(stepForAlarm(null, NOW)).toBe("forget");
  expect([begun, prepared, done].map(alarmOf)).toEqual([NOW + KEPT_MS, NOW + 10_000, NOW + KEPT_MS]);
  expect(alarmOf({ ...prepared, notBefore: NOW + 2 * KEPT_MS })).toBe(NOW + KEPT_MS);
});

test("waits grow to an hour", () => {
  expect([0, 1, 2, 30].map((attempts) => retryDelay(attempts, 0.999_999_999))).toEqual([
    10_000, 20_000, 40_000, 3_600_000,
  ]);
  expect(retryDelay(0, 0)).toBe(5_000);
});
