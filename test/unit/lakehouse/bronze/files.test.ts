import { describe, expect, test } from "vitest";
import { planFiles, RARE_DATE_ROWS } from "../../../../lakehouse/bronze/files.ts";
import type { Field } from "../../../../lakehouse/columns/column.ts";
import { rowAt } from "../../../../lakehouse/columns/value.ts";
import { weather } from "../../../oracle/weather.ts";
import { batchOf } from "../columns/column-of.ts";

const FIELDS: readonly Field[] = [
  { name: "event_date", type: { kind: "date" }, nullable: false },
  { name: "n", type: { kind: "int32" }, nullable: false },
];
const FLUSH = { topic: "weather", shard: 3, incarnation: "aa", seq: 7 };
const OWN = (date: string) => `bronze/weather/event_date=${date}/003-aa-00000007.parquet`;
const MIXED = "bronze_mixed/weather/003-aa-00000007.parquet";

/** Files of rows with these days, in this order: key, dates as [day, firstRow, rows], and the rows' numbers. */
function plan(days: readonly number[]) {
  const batch = batchOf(
    FIELDS,
    days.map((day, n) => ({ event_date: day, n })),
  );
  return planFiles(weather, FLUSH, batch).map(({ key, dates, rows }) => ({
    key,
    dates: dates.map(({ day, firstRow, rows: count }) => [day, firstRow, count]),
    rows: Array.from({ length: rows.length }, (_, i) => rowAt(rows, i)["n"]),
  }));
}

const many = (day: number, rows = RARE_DATE_ROWS) => Array.from({ length: rows }, () => day);

describe("planFiles", () => {
  test("no rows, no files", () => {
    expect(plan([])).toEqual([]);
  });

  test("one date, however small, is one file in the hive path", () => {
    expect(plan([0, 0])).toEqual([{ key: OWN("1970-01-01"), dates: [[0, 0, 2]], rows: [0, 1] }]);
  });

  test("rare dates share a file, by date, each date's rows in their order", () => {
    expect(plan([2, 1, 2, 3, 1])).toEqual([
      {
        key: MIXED,
        dates: [
          [1, 0, 2],
          [2, 2, 2],
          [3, 4, 1],
        ],
        rows: [1, 4, 0, 2, 3],
      },
    ]);
  });

  test("a date with enough rows has its own file; a single rare one beside it too", () => {
    const files = plan([...many(5), 6, 6]);
    expect(files.map(({ key, dates }) => ({ key, dates }))).toEqual([
      { key: OWN("1970-01-06"), dates: [[5, 0, RARE_DATE_ROWS]] },
      { key: OWN("1970-01-07"), dates: [[6, 0, 2]] },
    ]);
  });

  test("every row is in exactly one file", () => {
    const days = [...many(5), 1, 2, ...many(6, RARE_DATE_ROWS + 3), 3, ...many(4, RARE_DATE_ROWS - 1), -1];
    const files = plan(days);
    expect(files.map(({ key }) => key)).toEqual([OWN("1970-01-06"), OWN("1970-01-07"), MIXED]);
    const all = files.flatMap(({ rows }) => rows).map(Number);
    expect(all.sort((a, b) => a - b)).toEqual(days.map((_, n) => n));
    for (const { dates, rows } of files)
      for (const [day, first, count] of dates)
        for (const n of rows.slice(first, (first ?? 0) + (count ?? 0))) expect(days[Number(n)]).toBe(day);
  });
});
