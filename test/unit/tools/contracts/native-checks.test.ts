/** Checks of a gold table that DuckDB builds: it measures them, so that the edge needs no plan of theirs. */
import { expect, test } from "vitest";
import type { Check } from "../../../../contracts/contract.ts";
import { compileModels, type TableSchema } from "../../../../tools/build/models/compile-models.ts";
import { compileChecks } from "../../../../tools/build/quality/compile-checks.ts";
import { sampleTable } from "../../../oracle/shop-tables.ts";

const things: TableSchema = { ...sampleTable, name: "silver_things", key: ["k"] };
const header = (lines: string) => `/* ---\ndescription: a test\npartition: d\nkey: [d, k]\n${lines}--- */\n`;
const count = "SELECT d, k, count(*) AS c FROM silver_things GROUP BY ALL";
const models = await compileModels({
  models: [
    {
      path: "sql/gold/ranks.sql",
      text: `${header("")}SELECT d, k, rank() OVER (PARTITION BY d ORDER BY m) AS r FROM silver_things`,
    },
    { path: "sql/gold/counts.sql", text: header("") + count },
    { path: "sql/gold/asked.sql", text: header("engine: native\n") + count },
  ],
  tables: [things],
});

const base = { name: "c", layer: "gold", bound: { op: "mustBe", value: 0 }, onFail: "block" } as const;

async function compiled(check: Check) {
  const source = { check, file: "f.yaml", line: 3, asked: undefined, truth: false, queryLine: (line: number) => line };
  const answer = await compileChecks([{ topic: "things", checks: [source] }], [things], models);
  return { plans: answer.compiled.map(({ plan }) => plan), problems: answer.problems.map(({ message }) => message) };
}

const ofQuery = (table: string, query: string) => compiled({ ...base, metric: "sql", table, query });

test("any query that gives one number is one, without a plan", async () => {
  for (const query of [
    "SELECT count(*) FROM ranks WHERE regexp_matches(k, '^x')",
    "SELECT max(r) - min(r) FROM (SELECT r, row_number() OVER (PARTITION BY d ORDER BY k, r) AS n FROM ranks) WHERE n > 1",
    "SELECT quantile_cont(r, 0.9)::FLOAT FROM ranks",
    "SELECT count(*) FROM ranks",
  ])
    expect(await ofQuery("ranks", query)).toEqual({ plans: [null], problems: [] });
  expect(await ofQuery("asked", "SELECT median(c) FROM asked")).toEqual({ plans: [null], problems: [] });
  expect((await ofQuery("counts", "SELECT max(c) FROM counts")).plans).toEqual([expect.anything()]);
});

test.each([
  [
    "another table",
    "SELECT median(m) FROM silver_things",
    "the query reads silver_things; a check sees the rows of ranks only",
  ],
  ["no table", "SELECT median(x) FROM (VALUES (1), (2)) v(x)", "the query reads no table; write FROM {object}"],
  ["rows", "SELECT md5(k) IS NULL FROM ranks", "the query gives a BOOLEAN"],
  ["any number of rows", "SELECT median(r) FROM ranks GROUP BY k", "the query may give any number of rows"],
  ["chance", "SELECT median(r) FROM (SELECT r FROM ranks LIMIT 3)", "LIMIT without a total order keeps rows by chance"],
  ["the time", "SELECT median(r) FROM ranks WHERE d < today()", "today() is volatile"],
  [
    "an order with ties",
    "SELECT sum(n) FROM (SELECT r, row_number() OVER (ORDER BY r) AS n, k FROM ranks)",
    "has an ORDER BY in which rows may tie",
  ],
  ["a text", "SELECT string_agg(k, ',' ORDER BY k) FROM ranks", "the query gives a VARCHAR; a check gives a number"],
  ["two numbers", "SELECT median(r), 1 FROM ranks", "the query gives 2 columns; a check gives one number"],
])("what gives none is refused: %s", async (_what, query, problem) => {
  const { plans, problems } = await ofQuery("ranks", query);
  expect(plans).toEqual([]);
  expect(problems.join("\n")).toContain(problem);
});

test("of a table that the edge builds a query stays within what the edge runs", async () => {
  const { problems } = await ofQuery("counts", "SELECT median(c) FROM counts");
  expect(problems).toEqual([
    'check "c": the aggregate median is not known to the edge; counts is built there: write it another way (docs/model-sql.md)',
  ]);
});

test("a pattern is written in SQL", async () => {
  const check = { ...base, metric: "invalidValues", columns: ["k"], values: [], pattern: "^x", unit: "rows" } as const;
  expect((await compiled({ ...check, table: "counts" })).problems).toEqual([]);
  expect((await compiled({ ...check, table: "ranks" })).problems).toEqual([
    'check "c" is of the gold table ranks, which DuckDB builds, and has a pattern: write the check in SQL, such as with regexp_matches',
  ]);
});
