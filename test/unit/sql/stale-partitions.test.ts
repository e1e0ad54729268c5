import { expect, test } from "vitest";
import { isPartitionOf } from "../../../lakehouse/engine/ir/relation.ts";
import { publishedDates } from "../../../sql/statements/published-dates.ts";
import { markStale } from "../../../sql/statements/stale-partitions.ts";
import { createD1 } from "../../oracle/d1-on-sqlite.ts";

test("a commit marks the partitions that it begins, and of a window those that are known", async () => {
  const { d1, sqlite } = createD1();
  sqlite.exec(
    "INSERT INTO partition_inputs (domain, partition_date, version) VALUES ('rolling', '2026-01-03', 4), ('rolling', '2026-01-01', 9)",
  );
  const mark = (held: string) =>
    d1.batch(
      markStale(
        [
          { domain: "rolling", date: "2026-01-02", ifKnown: false },
          { domain: "rolling", date: "2026-01-03", ifKnown: true },
          { domain: "rolling", date: "2026-01-04", ifKnown: true },
        ],
        { held, prepare: (sql, ...values) => d1.prepare(sql).bind("src", "2026-01-02", "run", 1, ...values) },
      ),
    );
  await mark("1 = 0");
  await mark("1 = 1");
  const rows = sqlite.prepare("SELECT partition_date AS date, version FROM partition_inputs ORDER BY 1").all();
  expect(rows.map(({ date, version }) => [date, version])).toEqual([
    ["2026-01-01", 9],
    ["2026-01-02", 1],
    ["2026-01-03", 5],
  ]);
});

test("the published dates of a range, of all time, and the newest", async () => {
  const { d1, sqlite } = createD1();
  for (const date of ["2026-01-01", "2026-01-02", "2026-02-01"]) {
    sqlite.prepare("INSERT INTO published (table_name, partition_date, version, rows) VALUES ('t', ?, 1, 0)").run(date);
  }
  const dates = (range: Parameters<typeof publishedDates>[2], limit = 9) =>
    publishedDates(d1, { table: "t", grain: "day" }, range, limit);
  expect(await dates({ from: "2026-01-02", to: "2026-01-31" })).toEqual(["2026-01-02"]);
  expect(await dates("all")).toEqual(["2026-01-01", "2026-01-02", "2026-02-01"]);
  expect(await dates("all", 2)).toEqual(["2026-01-02", "2026-02-01"]);
  expect(await dates("latest")).toEqual(["2026-02-01"]);
});

test("of a table whose model had another grain before, only the dates that can have rows", async () => {
  const { d1, sqlite } = createD1();
  for (const date of ["1970-01-01", "2026-01-31", "2026-02-01", "2026-02-02", "2026-02-03"])
    sqlite.prepare("INSERT INTO published (table_name, partition_date, version, rows) VALUES ('t', ?, 1, 0)").run(date);
  const latest = (grain: "day" | "week" | "month" | "one") => publishedDates(d1, { table: "t", grain }, "latest", 9);
  expect(await latest("day")).toEqual(["2026-02-03"]);
  // A Monday.
  expect(await latest("week")).toEqual(["2026-02-02"]);
  expect(await latest("month")).toEqual(["2026-02-01"]);
  expect(await latest("one")).toEqual(["1970-01-01"]);
  for (const grain of ["day", "week", "month", "one"] as const) {
    const own = await publishedDates(d1, { table: "t", grain }, "all", 9);
    expect(own).toEqual(own.filter((date) => isPartitionOf(grain, date)));
  }
});
