/** Dates of partitions at the edges of what four digits of a year can say, and which of them a table can have. */
import { expect, test } from "vitest";
import { addDays, datesRead, firstDayOf, isPartitionOf } from "../../../../../lakehouse/engine/ir/relation.ts";

test("what a partition reads is in the order of texts, also of the first and the last dates", () => {
  expect(datesRead({ kind: "next", days: 7 }, "9999-12-28")).toEqual({ from: "9999-12-28", to: "9999-12-31" });
  expect(datesRead({ kind: "last", days: 7 }, "0000-01-03")).toEqual({ from: "0000-01-01", to: "0000-01-03" });
  expect(datesRead({ kind: "within", unit: "month" }, "9999-12-01")).toEqual({ from: "9999-12-01", to: "9999-12-31" });
  expect(datesRead({ kind: "within", unit: "week" }, "9999-12-27")).toEqual({ from: "9999-12-27", to: "9999-12-31" });
  expect(datesRead({ kind: "within", unit: "month" }, "2024-02-01")).toEqual({ from: "2024-02-01", to: "2024-02-29" });
  expect(datesRead({ kind: "within", unit: "month" }, "0050-02-01")).toEqual({ from: "0050-02-01", to: "0050-02-28" });
  expect(firstDayOf("week", "1970-01-01")).toBe("1969-12-29");
  expect(addDays("9999-12-31", 1)).toBe("9999-12-31");
});

test("a table has rows only at the first days of what its partitions span", () => {
  const [thursday, monday, first] = ["1970-01-01", "2026-11-30", "2026-11-01"];
  expect([thursday, monday, first].map((date) => isPartitionOf("day", date))).toEqual([true, true, true]);
  expect([thursday, monday, first].map((date) => isPartitionOf("week", date))).toEqual([false, true, false]);
  expect([thursday, monday, first].map((date) => isPartitionOf("month", date))).toEqual([true, false, true]);
  expect([thursday, monday, first].map((date) => isPartitionOf("one", date))).toEqual([true, false, false]);
});
