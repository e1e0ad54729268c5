import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runModel } from "../../../lakehouse/builds/models/run.ts";
import { compileModels } from "../../../tools/build/models/compile-models.ts";
import { ModelErrors } from "../../../tools/build/models/model-error.ts";
import { openPlannerSession, type PlannerSession } from "../../../tools/build/models/planner-session.ts";
import { renderModels } from "../../../tools/build/models/render-models.ts";
import { tableNameProblem } from "../../../tools/build/models/table-name.ts";
import { edgeModels } from "../../oracle/edge-models.ts";
import { sampleTable, shopTables } from "../../oracle/shop-tables.ts";
import { batchOf, rowsOf } from "../lakehouse/engine/columns/column-of.ts";

const HEADER = "/* ---\ndescription: a test\npartition: d\nkey: [d]\nmax_rows: 10\n--- */\n";

async function compile(text: string, path = "sql/gold/sample.sql") {
  const [model] = edgeModels(await compileModels({ models: [{ path, text }], tables: shopTables }));
  if (model === undefined) throw new Error("nothing was compiled");
  return model;
}

/** The errors' texts, each without the file's name. */
async function errorsOf(text: string): Promise<readonly string[]> {
  try {
    await compile(text);
  } catch (error) {
    if (!(error instanceof ModelErrors)) throw error;
    return error.errors.map((one) => one.message.replace("sql/gold/sample.sql:", ""));
  }
  return [];
}

const TYPES = "BOOLEAN, INTEGER, BIGINT, DOUBLE, DECIMAL, DATE, TIMESTAMPTZ, VARCHAR";
const APART = "end it with columns that tell the rows apart: its key, or all columns that are selected";
const TOGETHER =
  "rows of different partitions of t come together, which are built apart; group by its partition column too, or read more dates: inputs: { t: last(N) }";
const PAIRS =
  "the join with t pairs rows of different partitions, which are built apart; compare the partition columns too, or read more dates: inputs: { t: last(N) }";
const select = (sql: string) => errorsOf(HEADER + sql);

describe("what is refused, where, and what to do", () => {
  test.each<[string, string, readonly string[]]>([
    ["a syntax error", "SELECT d, FROM t WHERE", ["7:23: SQL: syntax error at end of input; correct the statement"]],
    [
      "an unknown table",
      "SELECT d FROM silver_order",
      ['7:15: unknown table "silver_order"; did you mean "silver_orders"?'],
    ],
    ["an unknown column", "SELECT d, amont FROM t", ['7:11: unknown column "amont"; did you mean "amount"?']],
    [
      "an unknown column behind other letters",
      "SELECT 'é' AS e, d,\n  amont FROM t",
      ['8:3: unknown column "amont"; did you mean "amount"?'],
    ],
    ["an unknown function", "SELECT d, lowr(k) FROM t", ['7:11: unknown function "lowr"; did you mean "lower"?']],
    [
      "a LIKE pattern that ends with its escape character",
      "SELECT d FROM t WHERE s LIKE 'a!' ESCAPE '!'",
      ["7:25: the pattern 'a!' ends with its escape character; correct it: DuckDB refuses it too"],
    ],
    [
      "a type that no table has",
      "SELECT d, m::SMALLINT AS v FROM t",
      [`7:1: column "v" is a SMALLINT, which no table has; cast it to one of ${TYPES}`],
    ],
    [
      "a bad constant",
      "SELECT d FROM t WHERE d > '2024-02-30'::DATE",
      [
        "7:39: the constant cannot be evaluated: a text of 10 characters is no DATE: TRY_CAST gives NULL for it; correct it",
      ],
    ],
    [
      "a join",
      "SELECT a.d FROM t a JOIN t b ON a.k = b.k",
      [
        "7:21: the join with t pairs rows of different partitions, which are built apart; compare the partition columns too, as in ON ... AND a.d = b.d",
      ],
    ],
    [
      "an ASOF JOIN",
      "SELECT a.d FROM t a ASOF JOIN t b ON a.d = b.d AND a.ts >= b.ts",
      [
        "7:21: ASOF JOIN takes any of the rows of its right side that tie; let the right side be a subquery with one row of each: GROUP BY the columns that are compared, such as with arg_max(value, row(order, value))",
      ],
    ],
    [
      "EXISTS over other partitions",
      "SELECT d FROM t WHERE EXISTS (SELECT 1 FROM t u WHERE u.k = t.k)",
      [`7:23: ${PAIRS}`],
    ],
    [
      "a scalar subquery over other partitions",
      "SELECT d FROM t WHERE m > (SELECT avg(m) FROM t)",
      [`7:35: ${TOGETHER}`],
    ],
    [
      "a window over other partitions, and of an order that leaves ties",
      "SELECT d, row_number() OVER (ORDER BY m) AS r FROM t",
      [
        "7:11: row_number reaches over the partitions of t, which are built apart; add the partition column to PARTITION BY, or read more dates: inputs: { t: last(N) }",
        `7:11: row_number has an ORDER BY in which rows may tie; make it total: ${APART}`,
      ],
    ],
    [
      "the first row of an order that leaves ties",
      "SELECT d, k, s FROM t QUALIFY row_number() OVER (PARTITION BY d, k ORDER BY m) = 1",
      [
        "7:31: row_number() = 1 keeps any of the rows that tie; end its ORDER BY with the key of the input, or all the columns that are selected, or use arg_max(value, row(order, value))",
      ],
    ],
    [
      "volatile functions",
      "SELECT d, now() AS n, random() AS r FROM t",
      [
        "7:11: now() is volatile: the same input would give other rows on another run; use a column of the input, such as _received",
        "7:23: random() is volatile: the same input would give other rows on another run; use a column of the input, such as _received",
      ],
    ],
    [
      "order-dependent aggregates",
      "SELECT d, first(k) AS f,\n arg_max(k, m) AS a,\n list(k) AS l FROM t GROUP BY d",
      [
        "7:11: first depends on the order of rows; write first(... ORDER BY ...) with a total order, or min or max",
        "8:2: arg_max keeps the value of any of the rows that tie; end the order with the value: arg_max(value, row(order, value))",
        "9:2: list depends on the order of rows; write list(... ORDER BY ...) with a total order, or min or max",
      ],
    ],
    [
      "DISTINCT ON",
      "SELECT DISTINCT ON (d) d, k FROM t",
      [
        "7:21: DISTINCT ON keeps any of the rows that tie; end its ORDER BY with columns that tell the rows apart: its key, or all columns that are selected",
      ],
    ],
    [
      "a HUGEINT",
      "SELECT d, sum(m) AS s FROM t GROUP BY d",
      ['7:1: column "s" is a HUGEINT, which Parquet does not hold; cast it: s::BIGINT'],
    ],
    [
      "a TIMESTAMP",
      "SELECT d, date_trunc('month', d) AS m FROM t",
      ['7:1: column "m" is a TIMESTAMP without a zone; cast it to DATE or TIMESTAMPTZ'],
    ],
    [
      "a column of INTERVALs",
      "SELECT d, ts - ts AS i FROM t",
      ['7:1: column "i" is an INTERVAL; take its seconds: epoch(i)'],
    ],
    [
      "time buckets of no width",
      "SELECT d, time_bucket(INTERVAL '0 days', ts) AS a, time_bucket(INTERVAL '1 month 1 day', ts) AS b FROM t",
      [
        "7:11: time_bucket needs a width greater than 0; correct it: DuckDB refuses it too",
        "7:52: time_bucket takes no width of months with days or hours; correct it: DuckDB refuses it too",
      ],
    ],
    ["columns of one name", "SELECT d, k AS v, s AS V FROM t", ['7:1: two columns are named "V"; name one with AS']],
    [
      "two statements",
      "SELECT d FROM t; SELECT d FROM t",
      ["7:1: there are 2 statements; a model is one SELECT: remove the others"],
    ],
    ["no SELECT", "INSERT INTO t(d) VALUES (NULL)", ["7:1: the statement is no SELECT; a model is one SELECT"]],
    ["a summary", "SUMMARIZE t", ["7:1: the statement is no SELECT; a model is one SELECT"]],
    ["nothing", "-- only a comment\n", ["7:1: there is no SELECT; write one SELECT after the front matter"]],
    ["the row's number", "SELECT d, rowid AS r FROM t", ["7:1: rowid is no stored column; use a column of the input"]],
    [
      "a subquery with IN",
      "SELECT d FROM t WHERE m IN (SELECT n FROM t)",
      [
        "7:25: the join with t pairs rows of different partitions, which are built apart; compare the partition columns too, as in ON ... AND a.d = b.d",
      ],
    ],
    ["no table", "SELECT 1 AS d", ["7:1: the SELECT reads no table; select from an input table"]],
    [
      "a missing partition and key column",
      "SELECT k, d AS day FROM t",
      [
        '3:12: the partition column "d" is no column of the SELECT; there are "k", "day"',
        '4:7: the key column "d" is no column of the SELECT; there are "k", "day"',
      ],
    ],
    [
      "a partition column that is computed",
      "SELECT d + 1 AS d FROM t",
      [
        '3:12: the partition column "d" is an expression, not a column of an input; pass the partition column of every input through, unchanged, and group by it',
      ],
    ],
    [
      "a partition column that is another column",
      "SELECT ts::DATE AS x, ts AS d FROM t",
      [
        '3:12: the partition column "d" is t.ts, but t is partitioned by d; pass the partition column of every input through, unchanged, and group by it',
      ],
    ],
    [
      "a partition column that one input lacks",
      "SELECT d FROM t UNION ALL SELECT _received::DATE FROM silver_orders",
      [
        '3:12: the partition column "d" is an expression, not a column of an input; pass the partition column of every input through, unchanged, and group by it',
      ],
    ],
    [
      "a partition column that is an aggregate",
      "SELECT max(d) AS d, k FROM t GROUP BY k",
      [
        '3:12: the partition column "d" is an aggregate, not a column of an input; pass the partition column of every input through, unchanged, and group by it',
      ],
    ],
    [
      "a LIMIT",
      "SELECT d, k FROM t ORDER BY d LIMIT 3",
      [
        "7:1: LIMIT counts the rows of the whole table, but a model is built partition by partition; if the first rows of each partition are meant, say limit_per_partition: true in the front matter",
        "7:1: LIMIT without a total order keeps rows by chance; ORDER BY all group columns, or all columns",
      ],
    ],
    ["a file", "SELECT d FROM read_csv('x.csv')", [expect.stringContaining("DuckDB refuses it")]],
    ["ROLLUP to rows of all partitions", "SELECT d FROM t GROUP BY ROLLUP (d)", [`7:34: ${TOGETHER}`]],
  ])("%s", async (_name, sql, expected) => {
    expect(await select(sql)).toEqual(expected);
  });

  test("a front matter that is missing, open, no YAML, or wrong", async () => {
    expect(await errorsOf("SELECT d FROM t")).toEqual([
      expect.stringMatching(/^1:1: the front matter is missing; begin the file/),
    ]);
    expect(await errorsOf("/* ---\na: b\nSELECT d FROM t")).toEqual([
      expect.stringMatching(/^1:1: the front matter is not closed/),
    ]);
    expect(await errorsOf("/* ---\na: [b\n--- */\nSELECT 1")).toEqual([
      expect.stringContaining("the front matter is not YAML"),
    ]);
    const wrong = HEADER.replace(
      "max_rows: 10",
      "max_rows: many\nchecks:\n  - { metric: rowCount, on_fail: block }\nextra: 1",
    );
    const errors = await errorsOf(`${wrong}SELECT d FROM t`);
    expect(errors.map((error) => error.split(";")[0])).toEqual([
      expect.stringMatching(/^2:1: front matter: Unrecognized key: "extra"/),
      expect.stringMatching(/^5:11: front matter max_rows: Invalid input/),
      expect.stringMatching(/^7:5: front matter checks.0: a check has exactly one threshold/),
    ]);
  });

  test("a checked column that does not exist, and a key without the partition", async () => {
    const header = HEADER.replace("key: [d]", "key: [k]").replace(
      "max_rows: 10",
      "max_rows: 10\nchecks:\n  - { metric: nullValues, column: kk, mustBe: 0, on_fail: warn }",
    );
    expect(await errorsOf(`${header}SELECT d, k FROM t`)).toEqual([
      '4:6: the key lacks the partition column "d"; add it: partitions are built apart, so that no key can be unique across them',
      '7:35: the checked column "kk" is no column of the SELECT; did you mean "k"?',
    ]);
  });

  test("when a check is judged: a word that is none, and a closing that never comes", async () => {
    const checked = (header: string, when: string) =>
      header.replace(
        "max_rows: 10",
        `max_rows: 10\nchecks:\n  - { metric: rowCount, mustBeGreaterThan: 5, on_fail: warn, when: ${when} }`,
      );
    expect(await errorsOf(`${checked(HEADER, "nightly")}SELECT d FROM t`)).toEqual([
      expect.stringMatching(
        /^7:\d+: front matter checks.0.when: Invalid option: expected one of "increment"\|"closing"/,
      ),
    ]);
    const one = HEADER.replace("partition: d\n", "inputs: { t: all }\n");
    expect(await errorsOf(`${checked(one, "closing")}SELECT d, count(*) AS n FROM t GROUP BY d`)).toEqual([
      expect.stringContaining(
        "the model has one partition, and that never closes, so that the check would never be judged; write when: increment",
      ),
    ]);
  });

  test("every problem of every file is reported, in order", async () => {
    const models = ["one", "two"].map((name) => ({
      path: `${name}.sql`,
      text: `${HEADER}SELECT d, now() AS n, random() AS r FROM t`,
    }));
    const error = await compileModels({ models, tables: shopTables }).catch((reason: unknown) => reason);
    if (!(error instanceof ModelErrors)) throw new Error("it was compiled");
    expect(error.errors.map(({ file, line, column }) => `${file}:${line}:${column}`)).toEqual([
      "one.sql:7:11",
      "one.sql:7:23",
      "two.sql:7:11",
      "two.sql:7:23",
    ]);
  });
});

describe("names of tables", () => {
  let session: PlannerSession;
  beforeAll(async () => {
    session = await openPlannerSession(shopTables);
  });
  afterAll(() => session.close());
  const problemOf = async (name: string) => (await tableNameProblem(name, ["orders"], session))?.problem;

  test("is refused at the top of the file", async () => {
    await expect(compile(`${HEADER}SELECT d FROM t`, "sql/gold/orders.sql")).rejects.toThrow(
      'sql/gold/orders.sql:1:1: "orders" is the name of a topic; rename the file, such as daily_orders',
    );
  });

  test.each([
    ["order", "is a word of SQL"],
    ["select", "is a word of SQL"],
    ["lateral", "is a word of SQL"],
    ["silver_orders", "is named like a silver table of a topic"],
    ["silver_x", "is named like a silver table of a topic"],
    ["bronze_x", "is named like a bronze table"],
    ["quarantine_x", "is named like a quarantine table"],
    ["orders", "is the name of a topic"],
    ["partition_meta", "is a table of the platform itself"],
    ["runs", "is a table of the platform itself"],
    ["quality_results", "is a table of the platform itself"],
    ["versions", "is a table of the platform itself"],
    ["ledger", "is a table of the platform itself"],
    ["dead_letters", "is a table of the platform itself"],
    ["duckdb_views", "is a table of DuckDB's own"],
    ["pg_class", "is a table of DuckDB's own"],
    ["sqlite_master", "is a table of DuckDB's own"],
    ["Daily", "makes no table name"],
    ["daily-orders", "makes no table name"],
    ["daily.orders", "makes no table name"],
    ["1st", "makes no table name"],
    ["o".repeat(64), "has 64 characters"],
  ])("%s is refused", async (name, message) => {
    expect(await problemOf(name)).toContain(message);
  });

  test.each(["daily", "user_events", "query", "temp", "memory", "files", "row_numbers", "o".repeat(63)])(
    "%s is free",
    async (name) => {
      expect(await problemOf(name)).toBeUndefined();
    },
  );
});

describe("texts that end, or begin, in another way", () => {
  const inner = "SELECT d, ';--' AS s, k AS \"a;b\" FROM t";

  test.each([
    ["a semicolon", `${inner};`, inner],
    ["semicolons and a comment", `${inner} ;\n; -- done; really\n`, inner],
    ["a comment", `${inner} -- done`, `${inner} -- done`],
    ["a comment with a semicolon", `${inner} /* a; b */`, undefined],
    ["a comment in front", `-- a; b\n${inner};`, `-- a; b\n${inner}`],
    ["lines of Windows", `${inner}\r\n;\r\n`, inner],
  ])("%s", async (_what, text, expected) => {
    const model = await compile(HEADER + text);
    if (expected !== undefined) expect(model.sql).toBe(expected);
    // As the text stands in other queries (`tools/lake/model-oracle.ts`).
    const again = await compile(`${HEADER}SELECT * FROM (\n${model.sql}\n)`);
    expect(again.fields).toEqual(model.fields);
  });

  test.each([
    [
      "a recursion",
      "WITH RECURSIVE r AS (SELECT d, 1 AS n FROM t UNION ALL SELECT d, n + 1 FROM r WHERE n < 3) SELECT d, n FROM r",
      "7:1: a recursion with UNION ALL or USING KEY need not come to one end; write WITH RECURSIVE ... UNION, which drops the rows that are there",
    ],
    ["a parameter", "SELECT d, ? AS n FROM t", "7:1: the statement has a parameter, $1; write the value in its place"],
    ["a named one", "SELECT d, $x AS n FROM t", "7:1: the statement has a parameter, $x; write the value in its place"],
    ["a NUL", "SELECT d,\n'\0' AS n FROM t", "8:2: the statement holds a NUL character; remove it"],
    [
      "JSON",
      "SELECT d, k::JSON AS j FROM t",
      `7:1: column "j" is a JSON, which no table has; cast it to one of ${TYPES}`,
    ],
  ])("%s is refused", async (_what, text, message) => {
    expect(await select(text)).toContain(message);
  });

  test("front matter whose aliases multiply is refused", async () => {
    const list = (name: string, of: string) => `${name}: &${name} [${Array(9).fill(of).join(", ")}]\n`;
    const bomb = list("a", "x") + list("b", "*a") + list("c", "*b") + list("e", "*c");
    expect(await errorsOf(`/* ---\n${bomb}--- */\nSELECT d FROM t`)).toEqual([
      expect.stringMatching(/^2:1: the front matter is not YAML: .*; write the values out$/),
    ]);
  });
});

describe("what is compiled", () => {
  test("scans list only the columns that are needed, through subqueries, unions and CTEs", async () => {
    const inputsOf = async (sql: string) =>
      (await compile(HEADER + sql)).inputs.map(({ table, columns }) => ({ table, columns }));
    expect(await inputsOf("SELECT d, count(*) AS c FROM (SELECT * FROM t WHERE m > 0) GROUP BY d")).toEqual([
      { table: "t", columns: ["d", "m"] },
    ]);
    expect(await inputsOf("SELECT d FROM (SELECT d, count(*) AS c FROM t GROUP BY d)")).toEqual([
      { table: "t", columns: ["d"] },
    ]);
    expect(await inputsOf("WITH a AS (SELECT * FROM t) SELECT d, k FROM a UNION ALL SELECT d, s FROM a")).toEqual([
      { table: "t", columns: ["d", "k", "s"] },
    ]);
  });

  test("constants are folded, and integers beyond 2^53 keep their digits", async () => {
    const model = await compile(
      `${HEADER}SELECT d, n = 9007199254740993 AS a, big > -123456789012345678901.5 AS b, ts < '2024-01-01 00:00:00.000001+01'::TIMESTAMPTZ AS c FROM t`,
    );
    const text = JSON.stringify(model.plan);
    expect(text).toContain('"value":"9007199254740993"');
    expect(text).toContain('"value":"-12345678901234567890150000"');
    expect(text).toContain(`"value":"${BigInt(Date.UTC(2023, 11, 31, 23)) * 1000n + 1n}"`);
    expect(text).not.toContain('"node":"cast","arg":{"node":"constant"');
  });

  test("names come from DESCRIBE, types from the plan, and the text that is rendered is the data", async () => {
    const model = await compile(`${HEADER}SELECT d, "K é" FROM (SELECT d, k AS "K é" FROM t)`);
    expect(model.fields.map((field) => [field.name, field.type.kind])).toEqual([
      ["d", "date"],
      ["K é", "utf8"],
    ]);
    const text = renderModels([model], "v1.5.6");
    expect(text).toContain('export const DUCKDB_VERSION: string = "v1.5.6";');
    const [, json] = /= (\[[\s\S]*\]);\n$/.exec(text) ?? [];
    expect(JSON.parse(json ?? "")).toEqual([model]);
    expect(text).toBe(renderModels([model], "v1.5.6"));
  });

  test("LIMIT per partition, over a total order", async () => {
    const header = HEADER.replace("max_rows: 10", "max_rows: 10\nlimit_per_partition: true");
    const model = await compile(
      `${header}SELECT d, k, count(*) AS c FROM t GROUP BY d, k ORDER BY c DESC, k, d LIMIT 1`,
    );
    const batch = batchOf(sampleTable.fields, [{ k: "a" }, { k: "b" }, { k: "b" }]);
    const result = await runModel(model, {
      async *scan() {
        yield batch;
      },
    });
    expect(rowsOf([result])).toEqual([{ d: null, k: "b", c: 2n }]);
  });
});
