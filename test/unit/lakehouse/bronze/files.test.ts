import { describe, expect, test } from "vitest";
import { planFiles, RARE_DATE_ROWS, rowGroupStarts, UNSTORED_POLICY } from "../../../../lakehouse/bronze/files.ts";
import { weather } from "../../../oracle/weather.ts";

const FLUSH = { topic: "weather", shard: 3, incarnation: "aa", seq: 7 };
const OWN = (date: string) => `bronze/weather/event_date=${date}/003-aa-00000007.parquet`;
const MIXED = "bronze_mixed/weather/003-aa-00000007.parquet";

/** Files of a flush with so many rows of these days: key and dates as [day, firstRow, rows]. */
function plan(days: readonly (readonly [day: number, rows: number])[]) {
  return planFiles(weather, FLUSH, new Map(days.map(([day, rows]) => [day, { rows }]))).map(({ key, dates, rows }) => {
    expect(rows).toBe(dates.reduce((sum, date) => sum + date.rows, 0));
    return { key, dates: dates.map(({ day, firstRow, rows: count }) => [day, firstRow, count]) };
  });
}

describe("planFiles", () => {
  test("no rows, no files", () => {
    expect(plan([])).toEqual([]);
  });

  test("one date, however small, is one file in the hive path", () => {
    expect(plan([[0, 2]])).toEqual([{ key: OWN("1970-01-01"), dates: [[0, 0, 2]] }]);
  });

  test("the two newest dates have files of their own, however few rows; older rare dates share one, by date", () => {
    expect(
      plan([
        [9, 1],
        [2, 2],
        [1, 2],
        [3, 1],
        [8, 4],
      ]),
    ).toEqual([
      { key: OWN("1970-01-09"), dates: [[8, 0, 4]] },
      { key: OWN("1970-01-10"), dates: [[9, 0, 1]] },
      {
        key: MIXED,
        dates: [
          [1, 0, 2],
          [2, 2, 2],
          [3, 4, 1],
        ],
      },
    ]);
  });

  test("an old date with enough rows has its own file; a single rare one beside it too", () => {
    expect(
      plan([
        [3, 1],
        [4, RARE_DATE_ROWS],
        [5, 1],
        [6, 2],
      ]),
    ).toEqual([
      { key: OWN("1970-01-04"), dates: [[3, 0, 1]] },
      { key: OWN("1970-01-05"), dates: [[4, 0, RARE_DATE_ROWS]] },
      { key: OWN("1970-01-06"), dates: [[5, 0, 1]] },
      { key: OWN("1970-01-07"), dates: [[6, 0, 2]] },
    ]);
  });

  test("what a deploy froze that stored no layouts is laid out as that one did: rare new dates share a file as well", () => {
    const days = new Map([1, 2, 3].map((day) => [day, { rows: 2 }]));
    expect(planFiles(weather, FLUSH, days, UNSTORED_POLICY).map(({ key, rows }) => [key, rows])).toEqual([[MIXED, 6]]);
  });

  test("every date is in exactly one file", () => {
    const days = [
      [5, RARE_DATE_ROWS],
      [1, 1],
      [2, 1],
      [6, RARE_DATE_ROWS + 3],
      [4, RARE_DATE_ROWS - 1],
      [-1, 1],
    ] as const;
    const files = plan(days);
    expect(files.map(({ key }) => key)).toEqual([OWN("1970-01-06"), OWN("1970-01-07"), MIXED]);
    expect(
      files.flatMap(({ dates }) => dates.map(([day, , rows]) => [day, rows])).sort(([a = 0], [b = 0]) => a - b),
    ).toEqual([...days].sort(([a], [b]) => a - b));
  });
});

test("row groups hold whole dates, as few as make enough rows", () => {
  const dates = [400, 400, 400, 999, 1, 1_000, 5].map((rows, day, all) => ({
    day,
    rows,
    firstRow: all.slice(0, day).reduce((sum, n) => sum + n, 0),
  }));
  expect(rowGroupStarts(dates)).toEqual([0, 1_200, 2_200, 3_200]);
  expect(rowGroupStarts([])).toEqual([]);
});
