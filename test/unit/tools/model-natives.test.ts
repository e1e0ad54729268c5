/** Models that DuckDB itself has to run: why and where it says so, what must be determined, and what the compiled model says. */
import { describe, expect, test } from "vitest";
import { planHash } from "../../../lakehouse/builds/models/plan-hash.ts";
import type { CompiledModel } from "../../../lakehouse/engine/ir/ir.ts";
import { compileModels, type TableSchema } from "../../../tools/build/models/compile-models.ts";
import { ModelErrors } from "../../../tools/build/models/model-error.ts";
import { sampleTable } from "../../oracle/shop-tables.ts";

/** `t` has no key; `u` has one row of each `k` in a partition; `whole` is read as one. */
const tables: readonly TableSchema[] = [
  sampleTable,
  { ...sampleTable, name: "u", key: ["k"] },
  { ...sampleTable, name: "whole", key: ["k"], grain: "one" },
];

const HEADER = "partition: d\nkey: [d]";

async function compile(sql: string, lines = HEADER): Promise<CompiledModel> {
  const text = `/* ---\ndescription: a test\n${lines}\n--- */\n${sql}`;
  const [model] = await compileModels({ models: [{ path: "m.sql", text }], tables });
  if (model === undefined) throw new Error("nothing was compiled");
  return model;
}

/** The problems, each without the file's name. */
async function problemsOf(sql: string, lines = HEADER): Promise<readonly string[]> {
  try {
    await compile(sql, lines);
  } catch (error) {
    if (!(error instanceof ModelErrors)) throw error;
    return error.errors.map(({ message }) => message.replace("m.sql:", ""));
  }
  return [];
}

describe("why a model is native, and where", () => {
  test.each<[string, string, string]>([
    ["SELECT d, k,\n  rank() OVER (PARTITION BY d ORDER BY m) AS r FROM t", "the edge has no window functions", "7:3"],
    [
      "SELECT d, k, m FROM t QUALIFY row_number() OVER (PARTITION BY d, k ORDER BY m) <= 2",
      "the edge has no window functions",
      "6:31",
    ],
    ["SELECT d, md5(k) AS h FROM t", "the function md5 is not known to the edge", "6:11"],
    ["SELECT 'é' AS e, d, md5(k) AS h FROM t", "the function md5 is not known to the edge", "6:21"],
    ["SELECT d, round(m, 1) AS r FROM t", "round of (INTEGER, INTEGER) is not known to the edge", "6:11"],
    [
      "SELECT d, stddev(x) AS s, median(x) AS m FROM t GROUP BY d",
      "the aggregate stddev is not known to the edge",
      "6:11",
    ],
    ["SELECT d, k FROM t WHERE s SIMILAR TO 'a+'", "the function regexp_full_match is not known to the edge", "6:28"],
    [
      "SELECT d, (ts AT TIME ZONE 'Europe/Berlin')::DATE AS l FROM t",
      "the function timezone is not known to the edge",
      "6:15",
    ],
    [
      "SELECT d, '2024-01-05 10:00:00 Europe/Berlin'::TIMESTAMPTZ AS l FROM t",
      "a timestamp in the time zone Europe/Berlin needs the native builder",
      "6:46",
    ],
    [
      "SELECT d, quantile_cont(x, 0.9) AS q FROM t GROUP BY d",
      "the aggregate quantile_cont is not known to the edge",
      "6:11",
    ],
    ["SELECT d, x::VARCHAR AS v FROM t", "a cast from DOUBLE to VARCHAR is not known to the edge", "6:12"],
    ["SELECT d, m::SMALLINT::INTEGER AS v FROM t", "the edge has no values of type SMALLINT", "6:12"],
    ["SELECT d, s ->> k AS a FROM t", `->> takes a constant name, or a path such as '$.a."b c"[0]'`, "6:13"],
    ["SELECT d, ts + k::INTERVAL AS j FROM t", "the edge casts no text to INTERVAL, but for literals", "6:17"],
    ["SELECT d, t.k, b.m FROM t FULL JOIN u b USING (d, k)", "the edge has no FULL JOIN", "6:27"],
    ["SELECT a.d FROM t a JOIN t b ON a.d = b.d AND a.tags = b.tags", "the edge has no join by a VARCHAR[]", "6:21"],
    [
      "SELECT a.d FROM t a, t b WHERE a.d = b.d",
      "the edge has no cross products (`FROM a, b`) and scalar subqueries",
      "6:1",
    ],
    [
      "SELECT a.d, b.c FROM t a ASOF JOIN (SELECT d, ts, max(x) AS c FROM u GROUP BY ALL) b ON a.d = b.d AND a.ts >= b.ts",
      "the edge has no ASOF JOIN",
      "6:26",
    ],
    [
      "SELECT t.d, z.y FROM t, unnest(t.nums) AS z(y)",
      "the edge has no correlated subqueries, EXISTS and `FROM t, unnest(t.list)`",
      "6:1",
    ],
    [
      "SELECT d FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.d = t.d AND u.m < t.m)",
      "the edge has no correlated subqueries, EXISTS and `FROM t, unnest(t.list)`",
      "6:23",
    ],
    ["SELECT d, unnest(nums) AS a, unnest(tags) AS b FROM t", "the edge has one unnest in a SELECT", "6:11"],
    ["SELECT d, list(m ORDER BY k) AS l FROM u GROUP BY d", "the edge has no ORDER BY inside list", "6:11"],
    ["SELECT DISTINCT ON (d, k) d, k, m FROM t ORDER BY d, k, m DESC", "the edge has no DISTINCT ON", "6:21"],
    [
      "SELECT d, k, count(*) AS c FROM t GROUP BY GROUPING SETS ((d), (d, k))",
      "the edge has no GROUPING SETS, ROLLUP and CUBE",
      "6:60",
    ],
    ["SELECT d, k FROM t EXCEPT SELECT d, k FROM u", "the edge has no EXCEPT", "6:34"],
    ["SELECT d, k FROM t INTERSECT ALL SELECT d, k FROM u", "the edge has no INTERSECT", "6:41"],
    ["SELECT d, v.x FROM t JOIN (VALUES (1, 'a'), (2, 'b')) v(m, x) ON t.m = v.m", "the edge has no VALUES", "6:1"],
    [
      "WITH RECURSIVE r AS (SELECT d, 1 AS n FROM t UNION SELECT d, n + 1 FROM r WHERE n < 3) SELECT d, n FROM r",
      "the edge has no recursive queries",
      "6:1",
    ],
    ["SELECT d, r.range FROM t JOIN range(3) r ON t.n = r.range", "the edge has no table function range", "6:31"],
  ])("%s", async (sql, reason, place) => {
    expect((await compile(sql)).class).toEqual({ kind: "native", reason, at: `m.sql:${place}` });
  });

  test("the first place decides, and what the edge runs stays the edge's", async () => {
    const model = await compile("SELECT d,\n  md5(k) AS h,\n  median(x) OVER (PARTITION BY d) AS m FROM t");
    expect(model.class.at).toBe("m.sql:7:3");
    expect((await compile("SELECT d, count(*) AS c FROM t GROUP BY d")).class.kind).toBe("merge");
  });
});

describe("what is determined", () => {
  test.each([
    [
      "a window in the order of the input's key",
      "SELECT d, k, m, row_number() OVER (PARTITION BY d ORDER BY k) AS r FROM u",
    ],
    ["a window in the order of all columns", "SELECT d, k, m, lag(m) OVER (PARTITION BY d ORDER BY k, m) AS r FROM t"],
    [
      "a window over groups, in the order of what they are grouped by",
      "SELECT d, k, c, ntile(4) OVER (PARTITION BY d ORDER BY c, k) AS r FROM (SELECT d, k, count(*) AS c FROM t GROUP BY ALL)",
    ],
    [
      "ranks of rows that tie",
      "SELECT d, x, dense_rank() OVER w AS a, percent_rank() OVER w AS b FROM t WINDOW w AS (PARTITION BY d ORDER BY x)",
    ],
    ["a sum over values", "SELECT d, sum(m) OVER (PARTITION BY d ORDER BY ts)::BIGINT AS s FROM t"],
    [
      "a sum over a range, and over groups",
      "SELECT d, sum(m) OVER (PARTITION BY d ORDER BY ts RANGE INTERVAL 1 HOUR PRECEDING)::BIGINT AS s, count(*) OVER (PARTITION BY d ORDER BY k GROUPS 1 PRECEDING) AS c FROM t",
    ],
    [
      "a moving average in the order of the key",
      "SELECT d, avg(x) OVER (PARTITION BY d ORDER BY ts, k ROWS 6 PRECEDING) AS a FROM u",
    ],
    [
      "lists in the order of their values, or of the key",
      "SELECT d, list(k ORDER BY k) AS a, list(DISTINCT k ORDER BY k DESC) AS b, string_agg(k, ',' ORDER BY k) AS c, list(m ORDER BY k) AS e FROM u GROUP BY d HAVING count(*) > 1",
    ],
    [
      "first rows of groups of what has no key but by row_number",
      "SELECT d, k, row_number() OVER (PARTITION BY d ORDER BY k) AS r FROM (SELECT d, k, m FROM t QUALIFY row_number() OVER (PARTITION BY d, k ORDER BY m) = 1)",
    ],
    [
      "a list of what a join leaves unique",
      "SELECT a.d, list(b.m ORDER BY a.k) AS l FROM u a JOIN u b ON a.d = b.d AND a.k = b.k AND a.x < b.x GROUP BY a.d",
    ],
    [
      "a scalar subquery of a partition",
      "SELECT d, (SELECT count(*) FROM u WHERE u.d = t.d AND u.k = t.k) AS c, md5(k) AS h FROM t",
    ],
    ["both sides of a FULL JOIN", "SELECT d, count(*) AS c FROM t FULL JOIN u USING (d, k) GROUP BY d"],
    [
      "the nearest rows before, one by one",
      "SELECT t.d, l.k FROM t LEFT JOIN LATERAL (SELECT k FROM u WHERE u.d = t.d AND u.k > t.k ORDER BY k LIMIT 1) l ON true",
    ],
  ])("%s", async (_title, sql) => {
    expect((await compile(sql, `${HEADER}\nlimit_per_partition: true`)).class.kind).toBe("native");
  });
});

const APART = "end it with columns that tell the rows apart: its key, or all columns that are selected";
const TIE = "has an ORDER BY in which rows may tie";
const MORE = "read more dates: inputs: { t: last(N) }";
const PAIRS =
  "the join with t pairs rows of different partitions, which are built apart; compare the partition columns too, or";
const TOGETHER =
  "rows of different partitions of t come together, which are built apart; group by its partition column too, or";

describe("what is refused, where, and what to write", () => {
  test.each<[string, string, readonly string[]]>([
    [
      "row numbers of rows that tie",
      "SELECT d, k, m,\n row_number() OVER (PARTITION BY d ORDER BY k) AS r FROM t",
      [`7:2: row_number ${TIE}; make it total: ${APART}`],
    ],
    [
      "row numbers of no order",
      "SELECT d, k, row_number() OVER (PARTITION BY d) AS r FROM t",
      [`6:14: row_number has no ORDER BY; add one with a total order: ${APART}`],
    ],
    [
      "a frame of rows that tie",
      "SELECT d, sum(m) OVER (PARTITION BY d ORDER BY ts ROWS 3 PRECEDING)::BIGINT AS s FROM t",
      [`6:11: sum ${TIE}; make it total: ${APART}, or count by values: RANGE or GROUPS`],
    ],
    [
      "the first value of rows that tie",
      "SELECT d, first_value(k) OVER (PARTITION BY d ORDER BY m) AS s FROM t",
      [`6:11: first_value ${TIE}; make it total: ${APART}`],
    ],
    [
      "a window over partitions",
      "SELECT d, k, rank() OVER (ORDER BY k) AS r FROM t",
      [
        `6:14: rank reaches over the partitions of t, which are built apart; add the partition column to PARTITION BY, or ${MORE}`,
      ],
    ],
    [
      "a key of several partitions that is one of each",
      "SELECT d, k, md5(k) AS h, row_number() OVER (ORDER BY k) AS r FROM u",
      [
        "6:27: row_number reaches over the partitions of u, which are built apart; add the partition column to PARTITION BY, or read more dates: inputs: { u: last(N) }",
      ],
    ],
    [
      "lists in no order, and in one with ties",
      "SELECT d, list(DISTINCT k) AS a,\n string_agg(k, ',' ORDER BY m) AS b FROM t GROUP BY d",
      [
        "6:11: list depends on the order of rows; write list(... ORDER BY ...) with a total order, or min or max",
        `7:2: string_agg ${TIE}; end it with the value itself, or with columns that tell the rows of a group apart: its key, or all columns that are selected`,
      ],
    ],
    [
      "values that come equally often, and estimates",
      "SELECT d, mode(k) AS m, approx_quantile(x, 0.5) AS q FROM t GROUP BY d",
      [
        "6:11: mode keeps any of the values that come equally often; count them in a subquery, and take arg_max(value, row(count, value))",
        "6:25: approx_quantile depends on threads, or on the order of rows; use an exact aggregate, such as quantile_cont (docs/model-sql.md)",
      ],
    ],
    [
      "the greatest of those that tie",
      "SELECT d, arg_max(k, m) AS a, median(m) AS c FROM t GROUP BY d",
      [
        "6:11: arg_max keeps the value of any of the rows that tie; end the order with the value: arg_max(value, row(order, value))",
      ],
    ],
    [
      "DISTINCT ON without an order",
      "SELECT DISTINCT ON (d, k) d, k, m FROM t",
      [
        "6:21: DISTINCT ON keeps any of the rows that tie; end its ORDER BY with columns that tell the rows apart: its key, or all columns that are selected",
      ],
    ],
    [
      "an ASOF JOIN with several nearest rows",
      "SELECT a.d, b.k FROM t a ASOF JOIN u b ON a.d = b.d AND a.ts >= b.ts",
      [
        "6:26: ASOF JOIN takes any of the rows of its right side that tie; let the right side be a subquery with one row of each: GROUP BY the columns that are compared, such as with arg_max(value, row(order, value))",
      ],
    ],
    [
      "a positional join",
      "SELECT t.d FROM t POSITIONAL JOIN (SELECT k AS q FROM t)",
      ["6:19: positional joins depend on the order of rows; join by a key"],
    ],
    [
      "a sample",
      "SELECT d, md5(k) AS h FROM t USING SAMPLE 10%",
      ["6:1: a sample differs from run to run; leave it out"],
    ],
    [
      "the time, the session, the program",
      "SELECT d, now() AS n, current_setting('TimeZone') AS z, age(ts::TIMESTAMP) IS NULL AS g, version() AS v FROM t",
      ["6:11: now()", "6:23: current_setting()", "6:57: age()", "6:90: version()"].map(
        (place) =>
          `${place} is volatile: the same input would give other rows on another run; use a column of the input, such as _received`,
      ),
    ],
    [
      "numbers of DuckDB's rows",
      "SELECT d, rowid AS r, md5(k) AS h FROM t",
      ["6:11: rowid is no stored column; use a column of the input"],
    ],
    ["a join over partitions", "SELECT a.d FROM t a FULL JOIN t b ON a.k = b.k", [`6:21: ${PAIRS} ${MORE}`]],
    ["pairs of all rows", "SELECT a.d FROM t a, t b WHERE a.m < b.m", [`6:1: ${PAIRS} ${MORE}`]],
    [
      "a subquery over all partitions",
      "SELECT d FROM t WHERE m > (SELECT avg(m) FROM t)",
      [`6:35: ${TOGETHER} ${MORE}`],
    ],
    [
      "totals over all partitions",
      "SELECT d, k, count(*) AS c FROM t GROUP BY CUBE (d, k)",
      [`6:50: ${TOGETHER} ${MORE}`],
    ],
    [
      "the last rows that DuckDB has not ended",
      "WITH RECURSIVE r AS (SELECT d FROM t UNION ALL SELECT d FROM r) SELECT d FROM r",
      [
        "6:1: a recursion with UNION ALL or USING KEY need not come to one end; write WITH RECURSIVE ... UNION, which drops the rows that are there",
      ],
    ],
    [
      "types that no table has",
      "SELECT d, m::SMALLINT AS a, k::JSON AS b, m::FLOAT AS c FROM t",
      ["a", "b", "c"].map(
        (name, at) =>
          `6:1: column "${name}" is a ${["SMALLINT", "JSON", "FLOAT"][at]}, which no table has; cast it to one of BOOLEAN, INTEGER, BIGINT, DOUBLE, DECIMAL, DATE, TIMESTAMPTZ, VARCHAR`,
      ),
    ],
    [
      "a sum that is no column",
      "SELECT d, sum(m) OVER (PARTITION BY d) AS s FROM t",
      ['6:1: column "s" is a HUGEINT, which Parquet does not hold; cast it: s::BIGINT'],
    ],
    [
      "a partition column that is made",
      "SELECT d + 1 AS d, md5(k) AS h FROM t",
      [
        '3:12: the partition column "d" is an expression, not a column of an input; pass the partition column of every input through, unchanged, and group by it',
      ],
    ],
    [
      "a LIMIT of the whole table",
      "SELECT d, md5(k) AS h FROM t ORDER BY d LIMIT 3",
      [
        "6:1: LIMIT counts the rows of the whole table, but a model is built partition by partition; if the first rows of each partition are meant, say limit_per_partition: true in the front matter",
        "6:1: LIMIT without a total order keeps rows by chance; ORDER BY all group columns, or all columns",
      ],
    ],
    [
      "an unknown input",
      "SELECT d, md5(k) AS h FROM duckdb_tables() x JOIN t ON x.table_name = t.k",
      ["6:28: duckdb_tables is no input table; select from an input table"],
    ],
  ])("%s", async (_title, sql, expected) => {
    expect(await problemsOf(sql)).toEqual(expected);
  });

  test("by the relation: what is read by other dates may be reached over, and makes its own date", async () => {
    const moving = "SELECT d, sum(m) OVER (PARTITION BY k ORDER BY d RANGE 6 PRECEDING)::BIGINT AS s FROM t";
    expect(await problemsOf(moving)).toHaveLength(1);
    expect(await problemsOf(moving, `${HEADER}\ninputs: { t: last(7) }`)).toEqual([]);
    const weekly = `${HEADER}\ninputs: { t: within(week) }`;
    expect(
      await problemsOf("SELECT date_trunc('week', d)::DATE AS d, median(x) AS h FROM t GROUP BY ALL", weekly),
    ).toEqual([]);
    expect(await problemsOf("SELECT d, md5(k) AS h FROM t", weekly)).toEqual([
      "3:12: the partition column \"d\" is not the first day of its week in every row, but t is read as within(week); write date_trunc('week', ...)::DATE AS d",
    ]);
    const pairs = "SELECT a.d, b.k FROM t a JOIN u b ON a.m < b.m";
    expect(await problemsOf(pairs)).toHaveLength(1);
    expect((await compile(pairs, `${HEADER}\ninputs: { u: latest }`)).class.reason).toBe(
      "the edge has no join without equal keys",
    );
    // One row of each key in a partition is not one in several.
    const numbered = "SELECT d, k, m, row_number() OVER (ORDER BY k) AS r FROM u";
    expect(await problemsOf(numbered, `${HEADER}\ninputs: { u: latest }`)).toHaveLength(1);
    expect(await problemsOf(numbered, "key: [d]\ninputs: { u: latest }")).toEqual([]);
    expect(await problemsOf(numbered, "key: [d]\ninputs: { u: all }")).toEqual([
      `6:17: row_number ${TIE}; make it total: ${APART}`,
    ]);
  });

  test("engine: edge, where the edge cannot", async () => {
    expect(await problemsOf("SELECT d, md5(k) AS h FROM t", `${HEADER}\nengine: edge`)).toEqual([
      "5:9: the model says engine: edge, but the function md5 is not known to the edge (m.sql:7:11); write it another way (docs/model-sql.md), or say engine: auto",
    ]);
    expect(await problemsOf("SELECT d FROM t", `${HEADER}\nengine: mine`)).toEqual([
      expect.stringMatching(/^5:9: front matter engine: Invalid option: expected one of "auto"\|"edge"\|"native"/),
    ]);
  });
});

describe("what is compiled", () => {
  const sql =
    "SELECT d, items[1].sku AS s, row_number() OVER (PARTITION BY d ORDER BY ts) AS r FROM (SELECT *, 1 AS one FROM t QUALIFY count(*) OVER (PARTITION BY d, ts) = 1)";

  test("inputs with the columns that are needed, columns with their types, bounds as written", async () => {
    const window = "SELECT d, k, items, x AS v, rank() OVER (PARTITION BY d ORDER BY m) AS r FROM (SELECT * FROM t)";
    const model = await compile(`${window};`, `${HEADER}\nmax_rows: 12\nbuild_after: PT5M`);
    expect(model).toMatchObject({
      plan: null,
      engine: "auto",
      rowLimit: 12,
      buildAfterMs: 300_000,
      sql: window,
      inputs: [{ table: "t", columns: ["d", "items", "k", "m", "x"], relation: { kind: "same" } }],
    });
    expect(model.fields.map(({ name, type }) => [name, type.kind])).toEqual([
      ["d", "date"],
      ["k", "utf8"],
      ["items", "list"],
      ["v", "float64"],
      ["r", "int64"],
    ]);
    expect(model.fields[2]?.type).toEqual(sampleTable.fields.find(({ name }) => name === "items")?.type);
    expect((await compile(window)).rowLimit).toBeNull();
  });

  test("a generation is its statement: not its words, places, checks and bounds", async () => {
    const first = await compile("SELECT d, md5(k) AS h FROM t");
    expect(first.generation).toBe(planHash(first));
    const same = await compile(
      "-- why\nSELECT d,   md5(k) AS h\nFROM t -- so",
      `${HEADER}\nmax_rows: 3\nengine: native`,
    );
    expect(same.generation).toBe(first.generation);
    const others = [
      await compile("SELECT d, md5(s) AS h FROM t"),
      await compile("SELECT d, md5(k) AS g FROM t"),
      await compile("SELECT d, md5(k) AS h FROM t", `${HEADER}\ninputs: { t: last(2) }`),
      await compile("SELECT d, md5(k) AS h FROM t WHERE m = 1"),
      await compile("SELECT d, md5(k) AS h FROM t WHERE m = 2"),
    ];
    expect(new Set([first, ...others].map(({ generation }) => generation)).size).toBe(6);
  });

  test("engine: native keeps the plan and the class, and asks for no bound", async () => {
    const model = await compile(
      "SELECT d, k FROM t ORDER BY ALL LIMIT 3",
      `${HEADER}\nlimit_per_partition: true\nengine: native`,
    );
    expect(model).toMatchObject({ engine: "native", class: { kind: "whole" }, rowLimit: null });
    const count = "SELECT d, count(*) AS c FROM t GROUP BY d";
    expect((await compile(count, `${HEADER}\nengine: native`)).generation).toBe((await compile(count)).generation);
  });

  test("native models read each other, by their keys", async () => {
    const header = (key: string) => `/* ---\ndescription: a test\npartition: d\nkey: [${key}]\n--- */\n`;
    const models = await compileModels({
      tables,
      models: [
        {
          path: "b.sql",
          text: `${header("d, k")}SELECT d, k, c, row_number() OVER (PARTITION BY d ORDER BY k) AS r FROM a`,
        },
        { path: "a.sql", text: `${header("d, k")}SELECT d, k, median(m) AS c FROM t GROUP BY ALL` },
      ],
    });
    expect(models.map(({ name }) => name)).toEqual(["a", "b"]);
  });

  test("the edge's own first rows, greatest values and limits are in the order of the key too", async () => {
    const limited = `${HEADER}\nmax_rows: 9\nlimit_per_partition: true`;
    for (const sql of [
      "SELECT d, k, m, s FROM u QUALIFY row_number() OVER (PARTITION BY d, m ORDER BY x, k) = 1",
      "SELECT d, m, arg_max(x, row(ts, k)) AS a FROM u GROUP BY d, m",
      "SELECT d, k, m, x FROM u ORDER BY k, d LIMIT 2",
    ]) {
      expect((await compile(sql, limited)).class.kind).not.toBe("native");
      expect(await problemsOf(sql.replace("FROM u", "FROM t"), limited)).toHaveLength(1);
    }
  });

  test("a window that stands on another", async () => {
    expect(await problemsOf(sql)).toEqual([`6:30: row_number ${TIE}; make it total: ${APART}`]);
  });
});
