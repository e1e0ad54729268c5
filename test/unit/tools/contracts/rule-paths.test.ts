import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import type { FieldRule } from "../../../../contracts/contract.ts";
import { compileContract } from "../../../../tools/build/contracts/compile.ts";
import { pathProblems } from "../../../../tools/build/contracts/rule-paths.ts";
import { renderProblem } from "../../../../tools/build/problem.ts";
import { loadSchemas } from "../../../../tools/build/schemas/load.ts";

const root = resolve(import.meta.dirname, "../../../..");
const { releases } = loadSchemas(root);

const fields: readonly FieldRule[] = [
  { name: "op", kind: "string", required: true },
  { name: "items", kind: "array", required: true },
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

describe("what a rule reads", () => {
  test.each([
    ["event.op == 'insert'", []],
    ["has(event.before) && event.before.status == 'placed'", []],
    ["event.items.map(i, i.price).size() > 0 && event.op.startsWith('i')", []],
    ["event.op != 'event.nothing' && event.op != \"event.none\"", []],
    ["event.opp == ''", ["unknown opp"]],
    ["has(event.before) && event.before.stauts == ''", ["unknown before.stauts"]],
    ["event.op.name == ''", ["unknown op.name"]],
    ["event.before.status == 'placed'", ["unguarded before"]],
    ["has(event.before) && event.before.coupon == ''", ["unguarded before.coupon"]],
    ["has(event.before.coupon)", ["unguarded before"]],
    ["has(event.before) && has(event.before.coupon) && event.before.coupon == ''", []],
    ["event.a == event.b || event.a == ''", ["unknown a", "unknown b"]],
  ])("%s", (expression, expected) => {
    expect(pathProblems(expression, fields).map(({ kind, path }) => `${kind} ${path}`)).toEqual(expected);
  });
});

describe("the contracts", () => {
  test.each(readdirSync(join(root, "contracts")).filter((name) => name.endsWith(".yaml")))("%s compiles", (name) => {
    const file = `contracts/${name}`;
    const compiled = compileContract({ file, text: readFileSync(join(root, file), "utf8") }, releases);
    expect(compiled.ok ? [] : compiled.problems.map(renderProblem)).toEqual([]);
  });

  test("a rule that reads a nested field which is not there, or may be absent, names its line", () => {
    const file = "contracts/order_changes.yaml";
    const text = readFileSync(join(root, file), "utf8");
    const line = (part: string) => text.slice(0, text.indexOf(part)).split("\n").length;
    const problemsOf = (changed: string) => {
      const compiled = compileContract({ file, text: changed }, releases);
      return compiled.ok ? [] : compiled.problems.map(renderProblem);
    };
    const rule = 'expression: "(!has(event.before)';
    expect(problemsOf(text.replace("event.before.order_id ==", "event.before.oder_id =="))).toEqual([
      expect.stringMatching(
        new RegExp(`^contracts/order_changes\\.yaml:${line(rule)}: .*event\\.before\\.oder_id, which is not`),
      ),
    ]);
    expect(
      problemsOf(
        text.replace(
          "has(event.before) || !has(event.after) || event.after.status == 'placed'",
          "event.after.status == 'placed'",
        ),
      ),
    ).toEqual([expect.stringContaining("may be absent: ask has(event.after) first")]);
  });
});
