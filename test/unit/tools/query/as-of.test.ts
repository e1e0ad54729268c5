import { expect, test } from "vitest";
import { asOfFlag } from "../../../../tools/query/as-of.ts";

const TABLES = ["daily_order_revenue", "silver_orders"];
const of = (text: string, sql = "FROM silver_orders"): unknown => {
  const { time, versions } = asOfFlag(text, sql, TABLES);
  return time ?? Object.fromEntries(versions);
};

test("a time is a UTC time, a date its midnight", () => {
  expect(of("2026-11-21")).toBe("2026-11-21T00:00:00.000Z");
  expect(of("2026-11-21T10:00:00Z")).toBe("2026-11-21T10:00:00.000Z");
  expect(of("2026-11-21 10:00")).toBe("2026-11-21T10:00:00.000Z");
});

test("a version is of the table that is named with it, or of the one that the query names", () => {
  expect(of("daily_order_revenue@7")).toEqual({ daily_order_revenue: 7 });
  expect(of("41")).toEqual({ silver_orders: 41 });
});

test.each([
  ["41", "FROM silver_orders JOIN daily_order_revenue USING (event_date)", "Write --as-of TABLE@41"],
  ["41", "SELECT 1", "names no published table"],
  ["nope@1", "SELECT 1", "no table nope is published"],
  ["yesterday", "SELECT 1", "takes a UTC time"],
  ["2026-13-41", "SELECT 1", "takes a UTC time"],
])("%s of %s is refused", (text, sql, message) => {
  expect(() => of(text, sql)).toThrow(message);
});
