/** What changes a table's meaning, and what does not. */
import { expect, test } from "vitest";
import { contentOf, type Meaning, meaningOf, meansTheSame } from "../../../../lakehouse/builds/generations/meaning.ts";
import { isEdgeModelTable, tableByName } from "../../../../lakehouse/tables/catalog.ts";
import { tableOf } from "../../../oracle/lake.ts";

const orders = tableOf("orders");
if (orders.kind !== "topic") throw new Error("orders is a topic");
const model = tableOf("daily_order_revenue");
if (!isEdgeModelTable(model)) throw new Error("the edge builds daily_order_revenue");
const meaning = (table: Parameters<typeof meaningOf>[0]) => meaningOf(table, tableByName);
const same = (a: Meaning, b: Meaning) => [meansTheSame(a, b), meansTheSame(b, a)];
const column = { type: { kind: "utf8" }, nullable: true } as const;

test("a column that may be null is no change; one that may not, another type and one that went are", () => {
  const today = meaning(orders);
  const more = meaning({ ...orders, fields: [...orders.fields, { name: "voucher", ...column }] });
  expect(same(today, more)).toEqual([true, false]);
  const required = meaning({ ...orders, fields: [...orders.fields, { name: "voucher", ...column, nullable: false }] });
  expect(same(today, required)).toEqual([false, false]);
  const wider = orders.fields.map((field) =>
    field.name === "status" ? { ...field, type: { kind: "int64" } as const } : field,
  );
  expect(same(today, meaning({ ...orders, fields: wider }))).toEqual([false, false]);
  const optional = orders.fields.map((field) => ({ ...field, nullable: true }));
  expect(same(today, meaning({ ...orders, fields: optional }))).toEqual([true, true]);
});

test("of a contract the key and the checks that take rows out decide, not the others, nor names", () => {
  const today = meaning(orders);
  const { contract, checks } = orders;
  expect(same(today, meaning({ ...orders, contract: { ...contract, dedupeKey: ["order_id"] } }))).toEqual([
    false,
    false,
  ]);
  expect(same(today, meaning({ ...orders, contract: { ...contract, version: "9.0.0", latenessMs: 1 } }))).toEqual([
    true,
    true,
  ]);
  const quarantining = checks.map((check) => ({ ...check, onFail: "quarantine" as const }));
  expect(same(today, meaning({ ...orders, checks: quarantining }))).toEqual([false, false]);
  const renamed = quarantining.map((check) => ({ ...check, name: `${check.name} again` }));
  expect(same(meaning({ ...orders, checks: quarantining }), meaning({ ...orders, checks: renamed }))).toEqual([
    true,
    true,
  ]);
  expect(same(today, meaning({ ...orders, checks: checks.filter(({ onFail }) => onFail === "quarantine") }))).toEqual([
    true,
    true,
  ]);
});

test("a model means what it reads, makes and gives; one that reads it changes with it", () => {
  const today = meaning(model);
  const plan = { node: "distinct", input: model.model.plan } as const;
  const other = { ...model, model: { ...model.model, plan } };
  expect(same(today, meaning(other))).toEqual([false, false]);
  const words = { ...model.model, description: "x", sql: "x", irVersion: 99, maxRows: 1, generation: "x" };
  expect(same(today, meaning({ ...model, model: words }))).toEqual([true, true]);
  expect(contentOf({ ...model, model: words }, tableByName)).not.toBe(contentOf(model, tableByName));
  const reader = {
    ...model,
    model: { ...model.model, inputs: [{ table: model.name, columns: [], relation: { kind: "same" } as const }] },
  };
  const before = meaningOf(reader, (name) => (name === model.name ? model : undefined));
  expect(
    same(
      before,
      meaningOf(reader, (name) => (name === model.name ? other : undefined)),
    ),
  ).toEqual([false, false]);
});
