/** Models that read each other, relations of inputs, and the class that the compiler gives a model. */
import { describe, expect, test } from "vitest";
import { compileModels, type TableSchema } from "../../../tools/build/models/compile-models.ts";
import { ModelErrors } from "../../../tools/build/models/model-error.ts";
import { sampleTable } from "../../oracle/shop-tables.ts";

const header = (lines = "partition: d\nkey: [d]") => `/* ---\ndescription: a test\n${lines}\n--- */\n`;
const silverThings: TableSchema = { ...sampleTable, name: "silver_things" };

async function compile(files: Readonly<Record<string, string>>) {
  const models = Object.entries(files).map(([path, text]) => ({ path, text }));
  return compileModels({ models, tables: [sampleTable, silverThings] });
}

async function errorsOf(files: Readonly<Record<string, string>>): Promise<readonly string[]> {
  try {
    await compile(files);
  } catch (error) {
    if (error instanceof ModelErrors) return error.errors.map(({ message }) => message);
    throw error;
  }
  return [];
}

describe("models that read models", () => {
  test("stand behind what they read, whatever their names; derived silver is named after its file", async () => {
    const models = await compile({
      "sql/gold/a_share.sql": `${header()}SELECT d, c FROM b_count`,
      "sql/gold/b_count.sql": `${header()}WITH a_share AS (FROM silver_lines) SELECT d, count(*) AS c FROM a_share GROUP BY d`,
      "sql/silver/lines.sql": `${header()}SELECT d, unnest(items).quantity AS q FROM t`,
    });
    expect(models.map(({ name, layer }) => `${layer} ${name}`)).toEqual([
      "silver silver_lines",
      "gold b_count",
      "gold a_share",
    ]);
    expect(models.map(({ inputs }) => inputs.map(({ table }) => table))).toEqual([
      ["t"],
      ["silver_lines"],
      ["b_count"],
    ]);
  });

  test("may not read each other in a circle: told once, where the circle begins", async () => {
    expect(
      await errorsOf({
        "sql/gold/c.sql": `${header()}SELECT d\nFROM a`,
        "sql/gold/a.sql": `${header()}SELECT d\nFROM b`,
        "sql/gold/b.sql": `${header()}SELECT d\nFROM c`,
        "sql/gold/other.sql": `${header()}SELECT d FROM a`,
      }),
    ).toEqual([
      "sql/gold/a.sql:7:6: models read each other in a circle: a reads b reads c reads a; let one of them read what the other reads",
    ]);
    expect(await errorsOf({ "sql/gold/own.sql": `${header()}SELECT d FROM own` })).toEqual([
      "sql/gold/own.sql:6:15: models read each other in a circle: own reads own; let one of them read what the other reads",
    ]);
  });

  test("an unknown table is told with the names that are near, models included", async () => {
    expect(
      await errorsOf({
        "sql/gold/daily_lines.sql": `${header()}SELECT d FROM t`,
        "sql/gold/report.sql": `${header()}SELECT d FROM daily_line`,
      }),
    ).toEqual(['sql/gold/report.sql:6:15: unknown table "daily_line"; did you mean "daily_lines"?']);
  });

  test("what reads a model that has a problem adds none of its own", async () => {
    expect(
      await errorsOf({
        "sql/gold/broken.sql": `${header()}SELECT d, nothing FROM t`,
        "sql/gold/report.sql": `${header()}SELECT d FROM broken`,
      }),
    ).toEqual([expect.stringContaining('sql/gold/broken.sql:6:11: unknown column "nothing"')]);
  });

  test("silver does not read gold, and does not take a topic's name", async () => {
    expect(
      await errorsOf({
        "sql/gold/totals.sql": `${header()}SELECT d FROM t`,
        "sql/silver/lines.sql": `${header()}SELECT d FROM totals`,
        "sql/silver/things.sql": `${header()}SELECT d FROM t`,
      }),
    ).toEqual([
      "sql/silver/lines.sql:6:15: silver_lines is a silver table and reads totals, which is gold; move the file to sql/gold, or read the silver table that the gold one is made of",
      expect.stringContaining('sql/silver/things.sql:1:1: "things" is the name of a topic'),
    ]);
  });
});

describe("relations", () => {
  const one = (lines: string, sql: string) => errorsOf({ "sql/gold/m.sql": header(lines) + sql });

  test("stand in the compiled model; what is not named is read by the same date", async () => {
    const [model] = await compile({
      "sql/gold/rolling.sql": `${header("partition: day\nkey: [day]\ninputs: { t: last(7) }")}SELECT day, count(*) AS c FROM (SELECT d AS day FROM t UNION ALL SELECT d + 1 FROM t) GROUP BY day`,
    });
    expect(model?.inputs).toMatchObject([{ table: "t", relation: { kind: "last", days: 7 } }]);
    expect(model?.grain).toBe("day");
  });

  test("weeks, months and tables of one partition are grains of their own, which pass on", async () => {
    const models = await compile({
      "sql/gold/monthly.sql": `${header("partition: month\nkey: [month]\ninputs: { t: within(month) }")}SELECT date_trunc('month', d)::DATE AS month, count(*) AS c FROM t GROUP BY 1`,
      "sql/gold/monthly_again.sql": `${header("partition: month\nkey: [month]")}SELECT month, c FROM monthly`,
      "sql/gold/customers.sql": `${header("key: [k]\ninputs: { t: all }")}SELECT k, max(ts) AS last FROM t GROUP BY k`,
    });
    expect(models.map(({ name, grain, partition }) => [name, grain, partition])).toEqual([
      ["monthly", "month", "month"],
      ["monthly_again", "month", "month"],
      ["customers", "one", "whole"],
    ]);
  });

  test.each<[string, string, string, string]>([
    [
      "no relation",
      "partition: d\nkey: [d]\ninputs: { t: lats(7) }",
      "SELECT d FROM t",
      '5:14: front matter inputs.t: "lats(7)" is no relation: same, last(N), next(N), within(week), within(month), all or latest, N from 2 to 366; the front matter holds description, partition, key, checks, inputs, max_rows, build_after, limit_per_partition, engine',
    ],
    [
      "a window of one day",
      "partition: d\nkey: [d]\ninputs: { t: last(1) }",
      "SELECT d FROM t",
      '5:14: front matter inputs.t: "last(1)" is no relation: same, last(N), next(N), within(week), within(month), all or latest, N from 2 to 366; the front matter holds description, partition, key, checks, inputs, max_rows, build_after, limit_per_partition, engine',
    ],
    [
      "a table that is not read",
      "partition: d\nkey: [d]\ninputs: { tt: same }",
      "SELECT d FROM t",
      '5:15: the SELECT does not read "tt"; did you mean "t"?',
    ],
    [
      "no partition column",
      "key: [d]",
      "SELECT d FROM t",
      "2:1: the partition column is missing: the model reads t by date; name the column of the SELECT that has the date: partition: COLUMN",
    ],
    [
      "a partition column of one partition",
      "partition: d\nkey: [d]\ninputs: { t: all }",
      "SELECT d FROM t",
      '3:12: the model has one partition, since it reads its inputs as a whole, but names the partition column "d"; leave partition out, or read an input by date, such as same',
    ],
    [
      "a partition that is no date",
      "partition: k\nkey: [k]\ninputs: { t: within(week) }",
      "SELECT k FROM t",
      '3:12: the partition column "k" is no DATE, but t is read as within(week); let it be the first day of the partition: k::DATE',
    ],
    [
      "a month's partition that is a day",
      "partition: d\nkey: [d]\ninputs: { t: within(month) }",
      "SELECT d, count(*) AS c FROM t GROUP BY d",
      "3:12: the partition column \"d\" is not the first day of its month in every row, but t is read as within(month); write date_trunc('month', ...)::DATE AS d",
    ],
    [
      "a month's partition that is a week's",
      "partition: d\nkey: [d]\ninputs: { t: within(month) }",
      "SELECT date_trunc('week', d)::DATE AS d, count(*) AS c FROM t GROUP BY 1",
      "3:12: the partition column \"d\" is not the first day of its month in every row, but t is read as within(month); write date_trunc('month', ...)::DATE AS d",
    ],
    [
      "a limit over other days' rows",
      "partition: d\nkey: [d]\nlimit_per_partition: true\ninputs: { t: last(3) }",
      "SELECT d FROM t ORDER BY ALL LIMIT 3",
      "8:1: LIMIT would count rows of other partitions too: t is read as last(3); limit in a model of its own, which reads this one",
    ],
  ])("%s is refused", async (_title, lines, sql, error) => {
    expect(await one(lines, sql)).toEqual([`sql/gold/m.sql:${error}`]);
  });

  test("a lookup that is read as a whole needs no date in its join, and the partition stays the other input's", async () => {
    const [model] = await compile({
      "sql/gold/named.sql": `${header("partition: d\nkey: [d, k]\ninputs: { silver_things: latest }")}SELECT t.d, t.k, max(s.s) AS s FROM t LEFT JOIN silver_things s ON t.k = s.k GROUP BY ALL`,
    });
    expect(model?.grain).toBe("day");
    expect(
      await errorsOf({
        "sql/gold/named.sql": `${header("partition: d\nkey: [d, k]")}SELECT t.d, t.k, max(s.s) AS s FROM t LEFT JOIN silver_things s ON t.k = s.k GROUP BY ALL`,
      }),
    ).toEqual([
      expect.stringContaining(
        "compare the partition columns too, as in ON ... AND a.d = b.d, or read it as a whole: inputs: { silver_things: latest }",
      ),
    ]);
  });

  test("partitions of several lengths do not meet in one model", async () => {
    const monthly = `${header("partition: month\nkey: [month]\ninputs: { t: within(month) }")}SELECT date_trunc('month', d)::DATE AS month FROM t GROUP BY 1`;
    expect(
      await errorsOf({
        "sql/gold/monthly.sql": monthly,
        "sql/gold/mixed.sql": `${header("partition: d\nkey: [d]")}SELECT d FROM t UNION ALL SELECT month FROM monthly`,
        "sql/gold/back.sql": `${header("partition: month\nkey: [month]\ninputs: { monthly: last(3) }")}SELECT month FROM monthly`,
      }),
    ).toEqual([
      expect.stringMatching(
        /^sql\/gold\/mixed\.sql:2:1: a partition of the model would be a (day|month) by \w+, and a (day|month) by \w+; let all/,
      ),
      "sql/gold/back.sql:5:20: last(3) counts days, but monthly has a partition a month; read it as same",
    ]);
  });
});

describe("classes", () => {
  const classOf = async (sql: string, lines = "partition: d\nkey: [d]\nmax_rows: 9\nlimit_per_partition: true") =>
    (await compile({ "sql/gold/m.sql": header(lines) + sql }))[0]?.class;
  const at = (line: number) => `sql/gold/m.sql:${line}`;

  test.each([
    ["each row by itself", "SELECT d,\n k FROM t WHERE m > 1", "rows", 8],
    [
      "lists taken apart, and rows put together",
      "SELECT d, unnest(nums) AS n FROM t UNION ALL SELECT d, m FROM t",
      "rows",
      8,
    ],
    ["an order that no limit needs", "SELECT d, k FROM t ORDER BY k", "rows", 8],
    ["groups", "SELECT d,\n count(*) AS c\nFROM t\nGROUP BY d", "merge", 11],
    [
      "groups of groups, ordered and limited",
      "SELECT d, max(c) AS m FROM (SELECT d, k, count(*) AS c FROM t\nGROUP BY d, k) GROUP BY d\nORDER BY d LIMIT 1",
      "merge",
      9,
    ],
    ["distinct rows", "SELECT DISTINCT d, k FROM t", "merge", 8],
    ["the first rows", "SELECT d, k FROM t\nORDER BY ALL LIMIT 3", "whole", 9],
    ["rows beside groups", "SELECT d, k FROM t UNION ALL SELECT d, max(k) FROM t GROUP BY d", "whole", 8],
    ["rows with what they look up", "SELECT t.d, s.k FROM t JOIN silver_things s USING (d, m)", "rows", 8],
    [
      "groups of joined rows",
      "SELECT t.d, count(*) AS c FROM t LEFT JOIN silver_things s USING (d, m) GROUP BY t.d",
      "merge",
      8,
    ],
    ["a table joined to itself", "SELECT a.d, b.k FROM t a JOIN t b USING (d, m)", "whole", 8],
    [
      "groups with what they look up",
      "SELECT d, c, s.k FROM (SELECT d, m, count(*) AS c FROM t GROUP BY d, m) JOIN silver_things s USING (d, m)",
      "whole",
      8,
    ],
    [
      "groups of the first rows",
      "SELECT d, count(*) AS c FROM (SELECT * EXCLUDE (tags, nums, items) FROM t ORDER BY ALL LIMIT 5) GROUP BY d",
      "whole",
      8,
    ],
  ])("%s", async (_title, sql, kind, line) => {
    expect(await classOf(sql)).toMatchObject({ kind, at: expect.stringMatching(new RegExp(`^${at(line)}:\\d+$`)) });
  });

  test("whole has to say how many rows that may be", async () => {
    const lines = "partition: d\nkey: [d]\nlimit_per_partition: true";
    const files = { "sql/gold/m.sql": `${header(lines)}SELECT d, k FROM t ORDER BY ALL LIMIT 3` };
    expect(await errorsOf(files)).toEqual([
      expect.stringMatching(
        /^sql\/gold\/m\.sql:7:\d+: the model is of class whole: ORDER BY over rows needs all of them at once; say how many rows that may be: max_rows: N, or leave it to DuckDB: engine: native$/,
      ),
    ]);
  });

  test("a generation is of the plan and the relations, not of names, comments or words", async () => {
    const of = async (text: string) => (await compile({ "sql/gold/m.sql": text }))[0]?.generation;
    const plain = await of(`${header()}SELECT d, m + 1 AS x FROM t`);
    expect(
      await of(`${header().replace("a test", "other words")}-- a comment\nSELECT d,   (m + 1) AS x FROM t -- more`),
    ).toBe(plain);
    expect(await of(`${header()}SELECT d, m + 2 AS x FROM t`)).not.toBe(plain);
  });
});
