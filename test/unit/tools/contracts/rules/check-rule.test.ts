/** What the build refuses in a rule, and what it says instead; and which of an event's fields a rule may take to be there. */
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import type { FieldRule } from "../../../../../contracts/contract.ts";
import { compileContract } from "../../../../../tools/build/contracts/compile.ts";
import { checkRule } from "../../../../../tools/build/contracts/rules/check-rule.ts";
import { RuleProblem } from "../../../../../tools/build/contracts/rules/context.ts";
import { renderProblem } from "../../../../../tools/build/problem.ts";
import { loadSchemas } from "../../../../../tools/build/schemas/load.ts";

const root = resolve(import.meta.dirname, "../../../../..");
const { releases } = loadSchemas(root);

const fields: readonly FieldRule[] = [
  { name: "op", kind: "string", required: true, accepted: ["insert", "update"] },
  { name: "note", kind: "string", required: true },
  { name: "count", kind: "integer", required: true },
  { name: "price", kind: "number", required: true },
  { name: "at", kind: "timestamp", required: true },
  { name: "born", kind: "date", required: true },
  { name: "open", kind: "boolean", required: true },
  { name: "maybe", kind: "integer", required: false },
  { name: "tags", kind: "array", required: true, item: { name: "item", kind: "string", required: true } },
  {
    name: "items",
    kind: "array",
    required: true,
    item: {
      name: "item",
      kind: "object",
      required: true,
      fields: [
        { name: "q", kind: "integer", required: true },
        { name: "p", kind: "number", required: false },
      ],
    },
  },
  {
    name: "before",
    kind: "object",
    required: false,
    fields: [
      { name: "status", kind: "string", required: true },
      { name: "coupon", kind: "string", required: false },
    ],
  },
];

/** What the build says of a rule; "" if it takes it. */
function problemOf(expression: string): string {
  try {
    checkRule(expression, fields);
    return "";
  } catch (error) {
    if (error instanceof RuleProblem) return error.message;
    throw error;
  }
}

describe("taken", () => {
  test.each([
    "event.op == 'insert'",
    "event.note != 'event.nothing' && event.note != \"event.none\"",
    "event.count > 0 && event.price > 0 && event.price >= event.count",
    "event.count % 2 == 0 || -event.count < abs(event.count - 7)",
    "double(event.count) * event.price <= 1000.0",
    "event.at - timestamp(event.born) > duration('24h')",
    "event.at > timestamp('2026-01-31T12:00:00.123456Z') && event.born.getFullYear() >= 1900",
    "event.items.all(i, i.q > 0) && event.items.exists_one(i, i.q == event.count)",
    "sum(event.items.map(i, i.q)) == event.count",
    "event.items.filter(i, has(i.p)).size() > 0",
    "event.items.map(i, has(i.p), i.p * 2.0).all(x, x > 0.0)",
    "event.tags.all(t, t.matches('^[a-z]+$')) && !('x' in event.tags)",
    "event.count in [1, 2, 3] || event.note in ['a', 'b']",
    "{'EUR': 2, 'JPY': 0}[event.note] >= event.count",
    "size(event.note) > 0 && event.tags[0].startsWith('a') && event.tags + ['b'] != []",
    "(event.open ? event.count : 0) < 10",
    "has(event.maybe) && event.maybe > 1",
    "event.maybe > 1 && has(event.maybe)",
    "!has(event.maybe) || event.maybe > 1",
    "event.maybe > 1 || !has(event.maybe)",
    "has(event.maybe) ? event.maybe > 1 : event.open",
    "!has(event.maybe) ? event.open : event.maybe > 1",
    "!(has(event.maybe) && event.open) || event.maybe > 1",
    "has(event.before) && has(event.before.coupon) && event.before.coupon != ''",
    "!has(event.before) || !has(event.before.coupon) || event.before.coupon.size() > 2",
    "!has(event.before) || event.tags.all(t, t == event.before.status)",
  ])("%s", (expression) => {
    expect(problemOf(expression)).toBe("");
  });
});

describe("refused", () => {
  test.each([
    // Unknown members.
    ["event.opp == ''", "reads event.opp, which is not a field of the contract; there are op, note"],
    ["has(event.before) && event.before.stauts == ''", "event.before.stauts, which is not a field"],
    ["event.op.name == ''", "event.op is string, which has no field name"],
    ["event.items.all(i, i.quantity > 0)", "i.quantity, which is not a field"],
    ["has(event.nope)", "event.nope, which is not a field"],
    ["evnt.op == ''", "there is no evnt"],
    ["event.constructor == ''", "event.constructor, which is not a field"],
    // Optional fields.
    ["event.maybe > 1", "ask has(event.maybe) first"],
    ["event.before.status == 'placed'", "ask has(event.before) first"],
    ["has(event.before.coupon)", "ask has(event.before) first"],
    ["has(event.before) && event.before.coupon == ''", "ask has(event.before.coupon) first"],
    ["has(event.before) || event.before.status == ''", "ask has(event.before) first"],
    ["has(event.maybe) == (event.maybe > 1)", "ask has(event.maybe) first"],
    ["(has(event.maybe) || event.open) && event.maybe > 1", "ask has(event.maybe) first"],
    ["event.items.all(i, i.p > 0.0)", "ask has(i.p) first"],
    ["has(event.maybe) || event.items.all(i, i.q > event.maybe)", "ask has(event.maybe) first"],
    ["event.note != null", "null is absence to a rule: write has(event.field)"],
    // Types.
    ["event.count", "it gives int, and a rule gives true or false"],
    ["event.items", "list<object>"],
    ["event.count + 1.5 > 2.0", "there is no int + double: CEL does not mix the two"],
    ["event.count * event.price > 2.0", "write double(...)"],
    ["event.price == 1", "there is no double == int"],
    ["event.at > '2026-01-01T00:00:00Z'", "write timestamp('"],
    ["event.at - event.at > 5", "duration > int"],
    ["event.price % 2.0 == 0.0", "there is no double % double; % takes int, int"],
    ["event.note + 1 == ''", "string + int"],
    ["event.note && event.open", "event.note is string, and true or false is asked for"],
    ["!event.count", "event.count is int"],
    ["event.open ? 1 : 'a'", "both sides of : are of one type"],
    ["event.tags.all(t, t)", "t is string, and true or false is asked for"],
    ["event.note.all(t, true)", "event.note is string, and no list"],
    ["[1, 'a'] == []", "its items are of one type"],
    ["event.count in ['a']", "int in list<string>"],
    ["event.tags['a'] == ''", "[]"],
    ["event.items[0] == event.items[1]", "compare what is in it"],
    ["event['op'] == ''", "write event.field"],
    ["size(event.count) > 0", "there is no size(int); size takes string"],
    ["sum(event.tags) > 0", "sum(list<string>)"],
    ["event.note.toUpper() == ''", "string.toUpper()"],
    ["frobnicate(event.note)", "there is no frobnicate(string)"],
    ["event.note.startsWith(1)", "startsWith takes string, string"],
    ["dyn(event.note) == ''", "there is no dyn(string)"],
    ["event.count == 1u", "no unsigned integers"],
    ["event.at.getHours('Europe/Stockholm') > 3", "a rule's times are UTC"],
    // Values that cannot be.
    ["event.op == 'delete'", 'event.op is never "delete": it is one of insert, update'],
    ["event.op in ['insert', 'upsert']", 'never "upsert"'],
    ["'updated' != event.op", 'never "updated"'],
    ["event.at > timestamp('yesterday')", "no RFC 3339 time"],
    ["event.at > timestamp('2026-01-31T12:00:00.1234567Z')", "at most six digits"],
    ["event.at - event.at > duration('1 day')", "no duration"],
    ["event.at - event.at > duration('1ns')", "no duration"],
    ["1 / 0 > event.count", "division by zero"],
    ["event.count < 9223372036854775807 + 1", "passes 64 bits"],
    ["event.count > int('x')", "no integer"],
    // Patterns.
    ["event.note.matches('(a')", "is not closed"],
    ["event.note.matches('(?=a)b')", "RE2 has no lookahead"],
    ["event.note.matches('(a)\\\\1')", "linear time"],
    ["event.note.matches(event.op)", "stands in the rule as a text"],
    // CEL itself.
    ["event.count >", "it is not valid CEL"],
    ["event.tags.all(event, true)", "with a name for the item"],
    ["event.tags.exists(t)", "a pass over a list"],
  ])("%s", (expression, message) => {
    expect(problemOf(expression)).toContain(message);
  });
});

describe("the fields that a rule reads", () => {
  test.each([
    ["has(event.before) && event.before.status == '' && event.note == 'event.d'", ["before.status", "note"]],
    ["event.items.all(i, i.q * event.count > 0) || event.open", ["items", "count", "open"]],
    ["event.tags[event.count] in [event.note] ? true : event.price < 1.0", ["tags", "count", "note", "price"]],
  ])("%s", (expression, paths) => {
    expect(checkRule(expression, fields).reads.map((path) => path.join("."))).toEqual(paths);
  });
});

describe("the contracts", () => {
  test.each(readdirSync(join(root, "contracts")).filter((name) => name.endsWith(".yaml")))("%s compiles", (name) => {
    const file = `contracts/${name}`;
    const compiled = compileContract({ file, text: readFileSync(join(root, file), "utf8") }, releases);
    expect(compiled.ok ? [] : compiled.problems.map(renderProblem)).toEqual([]);
  });

  const file = "contracts/order_changes.yaml";
  const text = readFileSync(join(root, file), "utf8");
  const line = (part: string, of = text) => of.slice(0, of.indexOf(part)).split("\n").length;
  const problemsOf = (changed: string) => {
    const compiled = compileContract({ file, text: changed }, releases);
    return compiled.ok ? [] : compiled.problems.map(renderProblem);
  };

  test("a problem names the line of the rule", () => {
    const rule = 'expression: "(!has(event.before)';
    expect(problemsOf(text.replace("event.before.order_id ==", "event.before.oder_id =="))).toEqual([
      expect.stringMatching(
        new RegExp(`^contracts/order_changes\\.yaml:${line(rule)}: .*event\\.before\\.oder_id, which is not`),
      ),
    ]);
    const unguarded = "event.after.status == 'placed'";
    expect(problemsOf(text.replace(`has(event.before) || !has(event.after) || ${unguarded}`, unguarded))).toEqual([
      expect.stringContaining("may be absent: ask has(event.after) first"),
    ]);
  });

  test("and of a literal block the line in it", () => {
    const literal = text.replace(
      /expression: "has\(event\.before\) \|\| .*\n/,
      "expression: |\n          has(event.before)\n          || !has(event.after)\n          || event.after.stat == 'placed'\n",
    );
    expect(problemsOf(literal)).toEqual([
      expect.stringMatching(new RegExp(`^contracts/order_changes\\.yaml:${line("event.after.stat ==", literal)}: `)),
    ]);
  });

  test("a pointer leads to a field, and two rules have two ids", () => {
    expect(problemsOf(text.replace("pointer: /order_id", "pointer: /order_no"))).toEqual([
      expect.stringContaining("leads to no field: there is no order_no"),
    ]);
    expect(
      problemsOf(
        text.replace("id: order_changes.images_are_of_the_order", "id: order_changes.images_fit_the_operation"),
      ),
    ).toEqual([expect.stringContaining("two rules are called order_changes.images_fit_the_operation")]);
  });
});
