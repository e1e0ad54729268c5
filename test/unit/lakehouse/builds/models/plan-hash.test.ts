import { describe, expect, test } from "vitest";
import { planHash } from "../../../../../lakehouse/builds/models/plan-hash.ts";
import { compileModels, type TableSchema } from "../../../../../tools/build/models/compile-models.ts";
import { sampleTable } from "../../../../oracle/shop-tables.ts";

const header = (lines = "partition: d\nkey: [d]", description = "a test") =>
  `/* ---\ndescription: ${description}\n${lines}\n--- */\n`;

async function hashOf(text: string, table: TableSchema = sampleTable): Promise<string> {
  const [model] = await compileModels({ models: [{ path: "sql/gold/m.sql", text }], tables: [table] });
  if (model === undefined) throw new Error("the model was not compiled");
  expect(model.generation).toBe(planHash(model));
  return planHash(model);
}

const sum = "SELECT d, k, sum(n)::BIGINT AS total FROM t GROUP BY d, k";

describe("the hash of a plan", () => {
  test("is the same for other words, bounds, checks, and columns that are not read", async () => {
    const hash = await hashOf(header() + sum);
    const checked =
      "partition: d\nkey: [d]\nmax_rows: 5\nchecks:\n  - { metric: rowCount, mustBeGreaterThan: 0, on_fail: warn }";
    expect(await hashOf(`${header(checked, "other words")}-- why\n${sum} -- so`)).toBe(hash);
    expect(await hashOf(`${header("partition: d\nkey: [d, k]")}${sum}`)).toBe(hash);
    const unread = { name: "unread", type: { kind: "utf8" }, nullable: true } as const;
    const more = { ...sampleTable, fields: [...sampleTable.fields, unread] };
    expect(await hashOf(header() + sum, more)).toBe(hash);
  });

  test("is another one for another meaning: of a value, of a column's name, of what is read", async () => {
    const hashes = await Promise.all(
      [
        header() + sum,
        header() + sum.replace("sum(n)", "sum(n + 1)"),
        header() + sum.replace("AS total", "AS amount"),
        `${header("partition: d\nkey: [d]\ninputs:\n  t: last(2)")}${sum}`,
        `${header("partition: d\nkey: [d]\ninputs:\n  t: last(3)")}${sum}`,
      ].map((text) => hashOf(text)),
    );
    expect(new Set(hashes).size).toBe(hashes.length);
  });

  test("does not depend on the order in which a compiler writes a plan's names", async () => {
    const [model] = await compileModels({
      models: [{ path: "sql/gold/m.sql", text: header() + sum }],
      tables: [sampleTable],
    });
    if (model === undefined) throw new Error("the model was not compiled");
    const turned = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(turned);
      if (value === null || typeof value !== "object") return value;
      return Object.fromEntries(
        Object.entries(value)
          .toReversed()
          .map(([name, inner]) => [name, turned(inner)]),
      );
    };
    // The same model, as another compiler would have written it.
    const other: typeof model = JSON.parse(JSON.stringify(turned(model)));
    expect(planHash(other)).toBe(planHash(model));
  });
});
