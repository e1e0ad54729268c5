import { expect, test } from "vitest";
import { compileModels } from "../../../../tools/build/models/compile-models.ts";
import { standing } from "../../../../tools/cli/models/deployed.ts";
import { explanation, graph, listing, sizeLines } from "../../../../tools/cli/models/describe.ts";
import { bytesRead } from "../../../../tools/cli/models/input-bytes.ts";
import { statementsOf } from "../../../../tools/cli/models/statements.ts";
import { sampleTable } from "../../../oracle/shop-tables.ts";

const header = (lines: string) => `/* ---\ndescription: a test\n${lines}\n--- */\n`;
const models = await compileModels({
  models: [
    { path: "sql/silver/lines.sql", text: `${header("partition: d\nkey: [d]")}SELECT d, unnest(nums) AS n FROM t` },
    {
      path: "sql/gold/sums.sql",
      text: `${header("partition: d\nkey: [d]")}SELECT d, count(*) AS c FROM silver_lines GROUP BY d`,
    },
    {
      path: "sql/gold/top.sql",
      text: `${header("key: [d]\nengine: edge\ninputs: { sums: all }")}SELECT d, max(c) AS c FROM sums GROUP BY d`,
    },
    {
      path: "sql/gold/ranks.sql",
      text: `${header("partition: d\nkey: [d, n]\nmax_rows: 7\ninputs: { silver_lines: last(7) }")}SELECT d, n,\n  rank() OVER (PARTITION BY d ORDER BY n) AS r FROM silver_lines`,
    },
  ],
  tables: [sampleTable],
});
const [, sums, top, ranks] = models;

test("the list has each model with its class, its partitions and what it reads", () => {
  expect(
    listing(models)
      .slice(2)
      .map((line) => line.split(/ {2,}/)),
  ).toEqual([
    ["silver_lines", "silver", "rows", "auto", "a day, d", "t"],
    ["sums", "gold", "merge", "auto", "a day, d", "silver_lines"],
    ["top", "gold", "merge", "edge", "one", "sums all"],
    ["ranks", "gold", "native", "native", "a day, d", "silver_lines last(7)"],
  ]);
});

test("the graph shows what is built from what", () => {
  expect(graph(models)).toEqual([
    "t",
    "  └ silver_lines (same, rows)",
    "    └ sums (same, merge)",
    "      └ top (all, merge)",
    "    └ ranks (last(7), native)",
  ]);
});

test("an explanation names the class, its reason and its place", () => {
  if (sums === undefined) throw new Error("nothing was compiled");
  const lines = explanation(sums);
  expect(lines).toContain(
    "  class merge: rows come together in GROUP BY, whose partial results merge (sql/gold/sums.sql:6:52)",
  );
  expect(lines).toContain("  reads silver_lines: d");
});

test("an explanation of a native model says what the edge has not, and where, and who builds it", () => {
  if (ranks === undefined || top === undefined || sums === undefined) throw new Error("nothing was compiled");
  const lines = explanation(ranks);
  expect(lines).toContain("  class native: the edge has no window functions (sql/gold/ranks.sql:9:3)");
  expect(lines).toContain("  built by a native builder: sluice builder (docs/models.md)");
  expect(lines).toContain("  at most 7 rows in a partition");
  expect(lines).toContain("  reads silver_lines last(7): d, n");
  expect(explanation(top)).toContain("  built by the edge alone (engine: edge)");
  expect(explanation(sums)).toContain(
    "  built by the edge, and by a native builder where its inputs are large (engine: auto)",
  );
});

test("what a build reads, by the files that are published: the newest partition's share of each input", () => {
  const files = ["2026-01-30", "2026-01-31", "2026-02-01", "2026-02-02", "2026-02-02"].map((partition_date, index) => ({
    partition_date,
    bytes: 10 ** index,
  }));
  expect(bytesRead({ kind: "same" }, files)).toBe(11_000);
  expect(bytesRead({ kind: "last", days: 3 }, files)).toBe(11_110);
  expect(bytesRead({ kind: "within", unit: "month" }, files)).toBe(11_100);
  expect(bytesRead({ kind: "within", unit: "week" }, files)).toBe(11_000);
  expect(bytesRead({ kind: "all" }, files)).toBe(11_111);
  expect(bytesRead({ kind: "all" }, [])).toBe(0);
  const sizes = [
    { table: "a", bytes: 5 },
    { table: "b", bytes: undefined },
  ];
  expect(sizeLines(sizes)).toEqual([
    "  a: 5 bytes",
    "  b: not published",
    "  a build of the newest partition reads about 5 bytes, and what b has, which is not published",
  ]);
});

test("a run makes views of the models that the lake lacks, inputs first, and asks for one partition", () => {
  if (sums === undefined || top === undefined) throw new Error("nothing was compiled");
  const { views, select } = statementsOf(models, top, new Set(["t"]), { date: undefined, limit: 5 });
  expect(views.map((view) => view.split(" ")[3])).toEqual(['"silver_lines"', '"sums"']);
  expect(select).toMatch(/LIMIT 5$/);
  const own = statementsOf(models, sums, new Set(["t", "silver_lines"]), { date: "2026-01-31", limit: 5 });
  expect(own.views).toEqual([]);
  expect(own.select).toContain(`WHERE "d" = DATE '2026-01-31'`);
  const asked = (date: string) => () => statementsOf(models, sums, new Set(), { date, limit: 5 });
  expect(asked("yesterday")).toThrow("--date is a day such as 2026-01-31");
  expect(() => statementsOf(models, top, new Set(), { date: "2026-01-31", limit: 5 })).toThrow("top has one partition");
});

test("a platform's tables beside the project's: what a deploy would build again", () => {
  const meaning = { rules: "r", columns: { a: { type: "int64", nullable: false } } };
  const published = (changes: object) => ({ partitions: 365, generation: { meaning, walk: null, ...changes } });
  expect(standing(meaning, published({}))).toEqual({ rebuilds: 0, now: "all of one generation" });
  expect(standing({ ...meaning, rules: "other" }, published({})).rebuilds).toBe(365);
  const more = { ...meaning.columns, b: { type: "utf8", nullable: true } };
  expect(standing({ ...meaning, columns: more }, published({})).rebuilds).toBe(0);
  const walk = { stale: 12, backfill_id: "b1", held: true };
  expect(standing(meaning, published({ walk })).now).toBe("12 stale (sluice backfill list), shown as it was");
  const done = { ...walk, stale: 0 };
  expect(standing(meaning, published({ walk: done })).now).toBe("all built, shown within a minute");
  expect(standing(meaning, undefined).now).toMatch(/fills it/);
  expect(standing(meaning, { partitions: 3, generation: null }).rebuilds).toBe(0);
});
