import { expect, test } from "vitest";
import { createCountDistinct } from "../../../../../lakehouse/engine/aggregates/distinct.ts";
import { DistinctSet } from "../../../../../lakehouse/engine/aggregates/distinct-set.ts";
import { valueAt } from "../../../../../lakehouse/engine/columns/value.ts";
import { ModelTooLargeError } from "../../../../../lakehouse/engine/ir/errors.ts";
import { createHeldRows, MAX_DISTINCT } from "../../../../../lakehouse/engine/operators/held-rows.ts";
import { columnOf } from "../columns/column-of.ts";

test("a million distinct values take 24 MB, and one more is an error that says what to do", () => {
  const set = new DistinctSet();
  const held = createHeldRows({ kind: "model", name: "visitors", maxRows: 1 });
  const beforeNew = () => held.addDistinct(1);
  for (let value = 0; value < MAX_DISTINCT; value++) set.add(value % 7, value, value ^ 0x5bd1, 3, beforeNew);
  expect(set.add(0, 0, 0x5bd1, 3, beforeNew)).toBe(false);
  expect(set.byteLength).toBeLessThan(25 * 1024 * 1024);
  const over = () => set.add(1, -1, 0, 3, beforeNew);
  expect(over).toThrow(ModelTooLargeError);
  expect(over).toThrow(/model visitors counts more than 1000000 distinct values.*coarser column/);
});

test("the bound is of all distinct counts of a model together", () => {
  const held = createHeldRows({ kind: "model", name: "visitors", maxRows: 1 });
  held.addDistinct(MAX_DISTINCT - 1);
  const count = createCountDistinct({ kind: "int64" }, held);
  const add = (values: readonly number[]) =>
    count.update([columnOf({ kind: "int32" }, [...values])], new Int32Array(values.length), 1);
  add([5, 5, 5]);
  expect(valueAt(count.finish(1), 0)).toBe(1n);
  expect(() => add([5, 6])).toThrow(ModelTooLargeError);
});

test("a value counts once in each group, also of a part that numbers its groups otherwise", () => {
  const held = createHeldRows({ kind: "model", name: "visitors", maxRows: 1 });
  const texts = columnOf({ kind: "utf8" }, ["a", "b", "a", null, "a longer text than a fingerprint is", "a"]);
  const whole = createCountDistinct({ kind: "int64" }, held);
  whole.update([texts], Int32Array.of(0, 0, 1, 1, 1, 0), 2);
  const part = createCountDistinct({ kind: "int64" }, held);
  part.update([texts], Int32Array.of(1, 1, 0, 0, 0, -1), 2);
  whole.merge(part.save(0, 2), Int32Array.of(1, 2), 3);
  for (const pairs of part.pairs?.save() ?? []) whole.pairs?.merge(pairs, Int32Array.of(1, 2), 3);
  const counts = whole.finish(3);
  expect([0, 1, 2].map((group) => valueAt(counts, group))).toEqual([2n, 2n, 2n]);
});
