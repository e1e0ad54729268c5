import { expect, it } from "vitest";
import { createMeter, meterLine } from "../../../tools/dev/meter.ts";

it("reads what happened since the last reading", () => {
  const meter = createMeter();
  for (let ms = 1; ms <= 100; ms++) meter.answered(ms, ms === 100 ? 503 : 202);
  meter.verdicts(90, 10);
  expect(meter.read(10)).toEqual({ eventsPerSecond: 10, p95: 95, p99: 99, errorRate: 0.01, rejectedShare: 0.1 });
  meter.unanswered();
  meter.verdicts(100, 10);
  expect(meter.read(10)).toEqual({ eventsPerSecond: 1, p95: null, p99: null, errorRate: 1, rejectedShare: 0 });
});

it("begins anew with a new run", () => {
  const meter = createMeter();
  meter.verdicts(90, 10);
  meter.read(10);
  meter.verdicts(5, 0);
  expect(meter.read(1).eventsPerSecond).toBe(5);
});

it("is one line", () => {
  expect(meterLine(createMeter().read(10))).toBe("0.0 events/s   p95 -   p99 -   errors 0.0 %   rejected 0.0 %");
});
