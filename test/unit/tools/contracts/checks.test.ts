/** What is said of quality checks that cannot be executed as they are written. */
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { compileContracts, compileSql } from "../../../../tools/build/compile.ts";
import { compileContract } from "../../../../tools/build/contracts/compile.ts";
import { BuildError, renderProblem } from "../../../../tools/build/problem.ts";

const root = resolve(import.meta.dirname, "../../../..");
const project = compileContracts(root);
const orders = readFileSync(join(root, "contracts/orders.yaml"), "utf8");
const FILE = "contracts/orders.yaml";
const WHERE = "    quality:\n";

/** orders.yaml with entries under the table's quality, and the line of the first. */
function withChecks(entries: string): { readonly text: string; readonly line: number } {
  const at = orders.lastIndexOf(WHERE) + WHERE.length;
  return { text: orders.slice(0, at) + entries + orders.slice(at), line: orders.slice(0, at).split("\n").length };
}

function compile(text: string) {
  return compileContract({ file: FILE, text }, project.releases);
}

function ofContract(entry: string): string[] {
  const { text, line } = withChecks(`      - ${entry}\n`);
  const compiled = compile(text);
  return compiled.ok ? [] : compiled.problems.map((problem) => renderProblem(problem).replace(`${FILE}:${line}: `, ""));
}

/** The SQL of all contracts, with orders.yaml as given. */
async function compileWith(text: string) {
  const compiled = compile(text);
  if (!compiled.ok) throw new Error(compiled.problems.map(renderProblem).join("\n"));
  const { contracts, checks, releases } = project;
  return compileSql(root, {
    contracts: contracts.map((contract) => (contract.topic === "orders" ? compiled.contract : contract)),
    checks: checks.map((one) => (one.topic === "orders" ? { topic: "orders", checks: compiled.checks } : one)),
    releases,
  });
}

const GOLD = "{ property: layer, value: gold }, { property: table, value: daily_order_revenue }";

describe("a check that its contract cannot have", () => {
  test.each<[entry: string, expected: string]>([
    [
      "{ metric: rowCount, mustBe: 1, customProperties: [{ property: layer, value: iron }] }",
      'layer "iron" is none of bronze, silver, gold',
    ],
    [
      "{ metric: rowCount, mustBe: 1, customProperties: [{ property: onFail, value: stop }] }",
      'onFail "stop" is none of block, quarantine, warn',
    ],
    [
      "{ metric: rowCount, mustBe: 1, customProperties: [{ property: when, value: nightly }] }",
      'when "nightly" is none of increment, closing',
    ],
    [
      "{ metric: nullValues, arguments: { properties: [coupon] }, mustBeLessThan: 5, customProperties: [{ property: onFail, value: quarantine }, { property: when, value: increment }] }",
      "quarantine with a tolerance takes rows out by what all of the day measures: leave out when, so that it is judged at the closing, or write mustBe: 0",
    ],
    [
      "{ metric: rowCount, mustBe: 1, customProperties: [{ property: layer, value: gold }] }",
      "a check at gold names its table: add the custom property table",
    ],
    [
      "{ metric: rowCount, mustBe: 1, customProperties: [{ property: table, value: daily_order_revenue }] }",
      "only a check at gold has the custom property table: at bronze and silver a topic has one table",
    ],
    [
      "{ type: sql, query: SELECT 1, mustBe: 1, customProperties: [{ property: onFail, value: quarantine }] }",
      "a check in SQL gives one number, not the rows that fail: say block or warn, or use a library check",
    ],
    [
      "{ metric: nullValues, arguments: { properties: [coupon] }, mustBe: 0, customProperties: [{ property: layer, value: bronze }, { property: onFail, value: quarantine }] }",
      "quarantine keeps rows out of silver_orders: give the check layer silver",
    ],
    [
      "{ metric: nullValues, arguments: { properties: [coupon] }, mustBeGreaterThan: 0, customProperties: [{ property: onFail, value: quarantine }] }",
      "quarantine needs an upper bound: mustBe: 0, mustBeLessThan or mustBeLessOrEqualTo",
    ],
    [
      "{ metric: rowCount, mustBeLessThan: 9, customProperties: [{ property: onFail, value: quarantine }] }",
      "rowCount is of no row in particular: say block or warn",
    ],
    [
      "{ type: sql, query: 'SELECT count({property}) FROM {object}', mustBe: 0 }",
      "{property} stands for a field, and this check is of the table: write the column's name",
    ],
    [
      "{ metric: duplicateValues, arguments: { properties: [items] }, mustBe: 0 }",
      'duplicateValues cannot measure "items", which is nested: write the check in SQL',
    ],
    [
      "{ metric: nullValues, mustBe: 0 }",
      "nullValues measures no field: put it under a field, or name fields in arguments.properties",
    ],
    [
      "{ metric: invalidValues, arguments: { properties: [coupon] }, mustBe: 0 }",
      "invalidValues needs arguments.validValues, the values that are valid, or arguments.pattern, what they match",
    ],
  ])("%s", (entry, expected) => {
    expect(ofContract(entry)).toEqual([expected]);
  });

  test.each([
    ["{ name: own, metric: rowCount, mustBeGreaterThan: 9 }", "closing"],
    [
      "{ name: own, metric: rowCount, mustBeGreaterThan: 9, customProperties: [{ property: when, value: increment }] }",
      undefined,
    ],
    ["{ name: own, type: sql, query: 'SELECT count(*) FROM {object}', mustBe: 0 }", "closing"],
    [
      "{ name: own, type: sql, query: 'SELECT count(*) FROM {object}', mustBe: 0, customProperties: [{ property: when, value: increment }] }",
      undefined,
    ],
    ["{ name: own, metric: nullValues, arguments: { properties: [coupon] }, mustBe: 0 }", undefined],
    [
      "{ name: own, metric: nullValues, arguments: { properties: [coupon] }, mustBe: 0, customProperties: [{ property: when, value: closing }, { property: onFail, value: quarantine }] }",
      "closing",
    ],
  ])("%s is judged at: %s", (entry, when) => {
    const compiled = compile(withChecks(`      - ${entry}\n`).text);
    if (!compiled.ok) throw new Error(compiled.problems.map(renderProblem).join("\n"));
    expect(compiled.contract.checks.find(({ name }) => name === "own")?.when).toBe(when);
  });

  test("two checks of one name, whose results would be one", () => {
    const line = withChecks("").line;
    const { text } = withChecks(
      "      - { name: n, metric: rowCount, mustBe: 1 }\n      - { name: n, type: sql, query: SELECT 1, mustBe: 1 }\n",
    );
    const compiled = compile(text);
    expect(compiled.ok ? [] : compiled.problems.map(renderProblem)).toEqual([
      `${FILE}:${line + 1}: two silver checks are named "n": give each a name of its own`,
    ]);
  });

  test("SQL under a field of a list, which is no column", () => {
    const field = "logicalTypeOptions: { minLength: 1, maxLength: 64 } }\n            - { name: name";
    expect(orders).toContain(field);
    const quality = ", quality: [{ type: sql, query: SELECT 1, mustBe: 1 }]";
    const compiled = compile(orders.replace(field, field.replace(" }\n", `${quality} }\n`)));
    expect(compiled.ok ? [] : compiled.problems.map(({ message }) => message)).toEqual([
      "a check in SQL stands under the table or one of its columns: move it up",
    ]);
  });
});

describe("a check that its table refuses", () => {
  const cases: readonly (readonly [what: string, entry: string, line: number, expected: string])[] = [
    [
      "an unknown column",
      "query: SELECT sum(amont) FROM {object}",
      0,
      'unknown column "amont"; did you mean "amount"?',
    ],
    [
      "its line in a literal block",
      "query: |\n          SELECT count(*)\n          FROM {object}\n          WHERE curency = 'EUR'\n        description: \"\"",
      3,
      'unknown column "curency"; did you mean "currency"?',
    ],
    ["a syntax error", "query: SELECT count(* FROM {object}", 0, "SQL: syntax error"],
    ["an unknown table", "query: SELECT count(*) FROM orders", 0, 'unknown table "orders"'],
    [
      "another table",
      "query: SELECT count(*) FROM silver_payments",
      0,
      "the query reads silver_payments; a check sees the rows of silver_orders only: write FROM {object}",
    ],
    [
      "what the runtime lacks",
      "query: SELECT stddev(amount) FROM {object}",
      0,
      "the aggregate stddev is not known to the edge; silver_orders is built there: write it another way",
    ],
    ["the time", "query: SELECT count(*) FROM {object} WHERE event_timestamp > now()", 0, "now() is volatile"],
    [
      "two columns",
      "query: 'SELECT count(*), sum(amount) FROM {object}'",
      0,
      "the query gives 2 columns; a check gives one number",
    ],
    ["a text", "query: SELECT max(currency) FROM {object}", 0, "the query gives a VARCHAR; a check gives a number"],
    [
      "a truth",
      "query: SELECT bool_and(gift) FROM {object}",
      0,
      "the query gives a BOOLEAN; a BOOLEAN goes with mustBe",
    ],
    [
      "rows",
      "query: SELECT amount FROM {object}",
      0,
      "the query may give any number of rows; aggregate without GROUP BY or HAVING",
    ],
    ["groups", "query: SELECT count(*) FROM {object} GROUP BY currency", 0, "the query may give any number of rows"],
    [
      "none or one",
      "query: SELECT count(*) FROM {object} HAVING count(*) > 3",
      0,
      "the query may give any number of rows",
    ],
    [
      "chance",
      "query: SELECT sum(amount) FROM (SELECT amount FROM {object} LIMIT 3)",
      0,
      "LIMIT without a total order",
    ],
    ["two statements", "query: SELECT count(*) FROM {object}; SELECT 2", 0, "a check is one SELECT: remove the others"],
    ["no SELECT", "query: DROP TABLE {object}", 0, "the statement is no SELECT; a check is one SELECT"],
    [
      "gold that no model makes",
      "query: SELECT count(*) FROM {object}, customProperties: [{ property: layer, value: gold }, { property: table, value: daily_order_revenu }]",
      0,
      'which no model makes; did you mean "daily_order_revenue"?',
    ],
    [
      "gold of another topic",
      "query: SELECT count(*) FROM {object}, customProperties: [{ property: layer, value: gold }, { property: table, value: payment_success_rate }]",
      0,
      "which does not read silver_orders: it stands in the contract of another topic",
    ],
    [
      "a column that gold lacks",
      `query: SELECT sum(amount) FROM {object}, customProperties: [${GOLD}]`,
      0,
      'unknown column "amount"',
    ],
  ];
  let problems: readonly string[] = [];
  const lines = new Map<string, number>();

  beforeAll(async () => {
    const entries: string[] = [];
    let { line } = withChecks("");
    for (const [what, entry] of cases) {
      const flow = entry.replace(/, customProperties/, "\n        customProperties");
      const text = `      - name: ${what}\n        type: sql\n        mustBe: 0\n        ${flow}\n`;
      lines.set(what, line + 3);
      line += text.split("\n").length - 1;
      entries.push(text);
    }
    const failed = await compileWith(withChecks(entries.join("")).text).catch((error: unknown) => error);
    if (!(failed instanceof BuildError)) throw new Error("nothing was refused");
    problems = failed.problems.map(renderProblem);
  });

  test.each(cases)("%s", (what, _, offset, expected) => {
    const own = problems.filter((problem) => problem.includes(`check "${what}"`));
    expect(own.join("\n")).toContain(expected);
    const gold = what.startsWith("gold");
    expect(own[0]).toMatch(
      new RegExp(`^contracts/orders\\.yaml:${(lines.get(what) ?? 0) + offset - (gold ? 3 : 0)}: `),
    );
  });

  test("and nothing else is refused", () => {
    expect(problems.filter((problem) => !cases.some(([what]) => problem.includes(`check "${what}"`)))).toEqual([]);
  });
});

describe("a check that is right", () => {
  test("is compiled for its table, its placeholders filled in", async () => {
    const queries = ["{object}", `\${object}`, "{table}", `\${table}`, "{model}"];
    const entries = queries.map(
      (name, index) => `      - { name: q${index}, type: sql, query: 'SELECT count(*) FROM ${name}', mustBe: 0 }\n`,
    );
    const bronze = "{ property: layer, value: bronze }";
    const { text } = withChecks(
      `${entries.join("")}      - { id: by_id, type: sql, query: 'SELECT count(*) FROM {object}', mustBe: 0, customProperties: [${bronze}] }\n` +
        `      - { name: g, metric: nullValues, arguments: { properties: [currency] }, mustBe: 0, customProperties: [${GOLD}] }\n`,
    );
    const { checks } = await compileWith(text);
    const tables = new Map(checks.map(({ name, table }) => [name, table]));
    expect(queries.map((_, index) => tables.get(`q${index}`))).toEqual(queries.map(() => "silver_orders"));
    expect(tables.get("by_id")).toBe("bronze_orders");
    const compiled = compile(text);
    if (!compiled.ok) throw new Error("refused");
    expect(compiled.contract.checks.find(({ name }) => name === "q1")).toEqual({
      name: "q1",
      layer: "silver",
      metric: "sql",
      query: 'SELECT count(*) FROM "silver_orders"',
      bound: { op: "mustBe", value: 0 },
      onFail: "block",
      when: "closing",
    });
    expect(compiled.contract.checks.find(({ name }) => name === "g")).toMatchObject({ table: "daily_order_revenue" });
  });

  test("under a field, {property} is its column", () => {
    const text = orders.replace(
      "- { name: coupon, logicalType: string,",
      "- { name: coupon, quality: [{ type: sql, query: 'SELECT count({column}) FROM {object} WHERE {property} IS NULL', mustBe: 0 }], logicalType: string,",
    );
    const compiled = compile(text);
    if (!compiled.ok) throw new Error("refused");
    expect(compiled.contract.checks.find(({ name }) => name === "sql of coupon")).toMatchObject({
      query: 'SELECT count("coupon") FROM "silver_orders" WHERE "coupon" IS NULL',
    });
  });
});
