/** Numbers of tuples: equal exactly when the values are, over all batches. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { ColumnType, Field } from "../../lakehouse/engine/columns/column.ts";
import { createTupleIndex } from "../../lakehouse/engine/columns/tuple-index.ts";
import type { Value } from "../../lakehouse/engine/columns/value.ts";
import { anyCharacter } from "../oracle/any-character.ts";
import { expectEqual } from "../oracle/expect-equal.ts";
import { batchOf, columnOf } from "../unit/lakehouse/engine/columns/column-of.ts";

const text = fc.oneof(
  fc.string({ unit: fc.constantFrom("n", "v", "1", ":", ",", "å"), maxLength: 5 }),
  fc.string({ unit: anyCharacter, maxLength: 4 }),
);
const columns: readonly { type: ColumnType; values: fc.Arbitrary<Value> }[] = [
  { type: { kind: "utf8" }, values: text },
  { type: { kind: "binary" }, values: fc.uint8Array({ maxLength: 3, max: 2 }).map((bytes) => Uint8Array.from(bytes)) },
  { type: { kind: "bool" }, values: fc.boolean() },
  { type: { kind: "int32" }, values: fc.integer({ min: -12, max: 12 }) },
  { type: { kind: "int64" }, values: fc.bigInt({ min: -12n, max: 12n }) },
  { type: { kind: "float64" }, values: fc.constantFrom(0, 0.1, 1, 10, Number.NaN, Number.POSITIVE_INFINITY) },
  {
    type: { kind: "decimal", precision: 38, scale: 0 },
    values: fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }).map(String),
  },
];

const rows = fc
  .array(fc.tuple(fc.constantFrom(...columns), fc.boolean()), { minLength: 1, maxLength: 3 })
  .chain((picked) => {
    const fields = picked.map(([{ type }, nullable], i): Field => ({ name: `c${i}`, type, nullable }));
    const row = fc.tuple(
      ...picked.map(([{ values }, nullable]) => (nullable ? fc.option(values, { nil: null, freq: 2 }) : values)),
    );
    return fc.tuple(fc.constant(fields), fc.array(row, { minLength: 2, maxLength: 20 }));
  });

function same(a: readonly Value[], b: readonly Value[]): boolean {
  return a.every((value, i) => {
    const other = b[i] ?? null;
    if (value instanceof Uint8Array && other instanceof Uint8Array) return Buffer.compare(value, other) === 0;
    return Object.is(value, other);
  });
}

test("two rows share a number exactly when all their values are equal, also of two batches", () => {
  fc.assert(
    fc.property(rows, ([fields, values]) => {
      const index = createTupleIndex(fields.length);
      const numbers = [values.slice(0, 3), values.slice(3)].flatMap((some) => {
        const batch = batchOf(
          fields,
          some.map((row) => Object.fromEntries(row.map((value, i) => [`c${i}`, value]))),
        );
        return [...index.assign(batch.columns, batch.length).groups];
      });
      for (let a = 0; a < values.length; a++)
        for (let b = 0; b < a; b++) expectEqual(numbers[a] === numbers[b], same(values[a] ?? [], values[b] ?? []));
      expect(index.count).toBe(new Set(numbers).size);
    }),
    { numRuns: 500 },
  );
});

test("zero is one value, whatever its sign, as in SQL", () => {
  const { groups } = createTupleIndex(1).assign([columnOf({ kind: "float64" }, [0, -0])], 2);
  expect([...groups]).toEqual([0, 0]);
});

test("a nested column cannot be part of a key", () => {
  const list = columnOf({ kind: "list", item: { name: "item", type: { kind: "int32" }, nullable: false } }, [[1]]);
  expect(() => createTupleIndex(1).assign([list], 1)).toThrow(TypeError);
});
