import { expect, test } from "vitest";
import { blocking, runChecks } from "../../../../../lakehouse/builds/gates/gate.ts";
import type { Field } from "../../../../../lakehouse/engine/columns/column.ts";
import { tables } from "../../../../../lakehouse/tables/catalog.ts";
import { modelChecks } from "../../../../../lakehouse/tables/compiled/model-checks.ts";
import { batchOf } from "../../engine/columns/column-of.ts";

const fields: readonly Field[] = [
  { name: "d", type: { kind: "date" }, nullable: true },
  { name: "k", type: { kind: "utf8" }, nullable: true },
];
const checks = modelChecks({ key: ["d", "k"], layer: "gold", checks: [] });

test.each([
  [
    "different keys",
    [
      { d: 1, k: "a" },
      { d: 1, k: "b" },
      { d: 1, k: null },
    ],
    [],
  ],
  [
    "two rows of one key",
    [
      { d: 1, k: "a" },
      { d: 1, k: "b" },
      { d: 1, k: "a" },
    ],
    [2],
  ],
  [
    "two rows without the key's value, which GROUP BY would give as one",
    [
      { d: 1, k: null },
      { d: 1, k: null },
    ],
    [1],
  ],
])("a model's key holds a candidate back with %s or lets it through", async (_title, rows, failingRows) => {
  const results = await runChecks(checks, "gold", batchOf(fields, rows));
  expect(blocking(results).map((result) => [result.check.name, result.failingRows])).toEqual(
    failingRows.length === 0 ? [] : [["key d, k", failingRows]],
  );
});

test("every model's key is a gate of its table", () => {
  for (const table of tables) {
    if (table.kind !== "model") continue;
    const [first] = table.checks;
    expect(first).toMatchObject({
      metric: "duplicateValues",
      columns: table.model.key,
      onFail: "block",
      bound: { op: "mustBe", value: 0 },
    });
  }
});

test("the catalog has every table behind those that it reads", () => {
  const seen = new Set<string>();
  for (const table of tables) {
    const inputs = table.kind === "model" ? table.model.inputs.map((input) => input.table) : [];
    expect(inputs.filter((input) => !seen.has(input))).toEqual([]);
    seen.add(table.name);
  }
});
