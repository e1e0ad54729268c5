import { expect, test } from "vitest";
import { HOUR_MS, hourText, hourTextAt } from "../../../schemas/hours.ts";

test("the hour that holds a time, and an hour by its number", () => {
  const at = Date.parse("2026-11-21T05:59:59.999Z");
  expect(hourTextAt(at)).toBe("2026-11-21T05:00:00Z");
  expect(hourTextAt(at + 1)).toBe("2026-11-21T06:00:00Z");
  expect(hourText(at / HOUR_MS)).toBe(hourTextAt(at));
  expect(hourTextAt(0)).toBe("1970-01-01T00:00:00Z");
});
