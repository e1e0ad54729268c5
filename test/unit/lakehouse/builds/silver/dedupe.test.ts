import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { deduplicate } from "../../../../../lakehouse/builds/silver/dedupe.ts";
import type { Field } from "../../../../../lakehouse/engine/columns/column.ts";
import { batchOf } from "../../engine/columns/column-of.ts";

const FIELDS: readonly Field[] = [
  { name: "id", type: { kind: "utf8" }, nullable: true },
  { name: "n", type: { kind: "int32" }, nullable: false },
  { name: "_received", type: { kind: "timestamp" }, nullable: false },
];

type Row = { id: string | null; n: number; _received: bigint };

function row(id: string | null, received: number): Row {
  return { id, n: 0, _received: BigInt(received) };
}

function keyOf(one: Row): string {
  return JSON.stringify([one.id, one.n]);
}

/** Their numbers as they come. */
function inTurn(rows: readonly Row[]): Int32Array {
  return Int32Array.from(rows.keys());
}

describe("deduplicate", () => {
  test("keeps the row of the lowest position, whatever was received first, and counts the copies", () => {
    const rows = [row("a", 2), row("a", 1), row("b", 1), row("a", 0)];
    const { rows: kept, copies, removedReceived } = deduplicate(batchOf(FIELDS, rows), ["id"], inTurn(rows));
    expect([...kept]).toEqual([0, 2]);
    expect([...copies]).toEqual([3, 1]);
    expect([...removedReceived]).toEqual([1, 0]);
    const backwards = deduplicate(batchOf(FIELDS, rows), ["id"], inTurn(rows).reverse());
    expect([[...backwards.rows], [...backwards.copies], [...backwards.removedReceived]]).toEqual([
      [3, 2],
      [3, 1],
      [1, 2],
    ]);
  });

  test("NULL is a value of a key of its own, apart from every text", () => {
    const rows = [row(null, 1), row("", 1), row("n", 1), row(null, 1), row("vn", 1)];
    expect([...deduplicate(batchOf(FIELDS, rows), ["id"], inTurn(rows)).rows]).toEqual([0, 1, 2, 4]);
  });

  test("a key that the rows lack is an error", () => {
    expect(() => deduplicate(batchOf(FIELDS, []), ["other"], inTurn([]))).toThrow(RangeError);
  });

  test("is the same, in the same order, whatever order the rows are read in", () => {
    const arbitraryRow = fc.record({
      id: fc.option(fc.constantFrom("a", "b", "å", "𝄞", ""), { nil: null }),
      n: fc.integer({ min: 0, max: 1 }),
      _received: fc.bigInt({ min: -2n, max: 2n }),
    });
    const rows = fc
      .array(arbitraryRow, { maxLength: 40 })
      .chain((all) =>
        fc.tuple(
          fc.constant(all),
          fc.shuffledSubarray([...all.keys()], { minLength: all.length, maxLength: all.length }),
        ),
      );
    fc.assert(
      fc.property(rows, ([byPosition, read]) => {
        const expected = byPosition.filter((row, i) => byPosition.findIndex((one) => keyOf(one) === keyOf(row)) === i);
        const batch = read.flatMap((position) => byPosition[position] ?? []);
        const order = Int32Array.from(byPosition.keys(), (position) => read.indexOf(position));
        const result = deduplicate(batchOf(FIELDS, batch), ["id", "n"], order);
        expect([...result.rows].map((i) => batch[i])).toEqual(expected);
        expect([...result.copies]).toEqual(
          expected.map((row) => byPosition.filter((other) => keyOf(other) === keyOf(row)).length),
        );
        expect(result.removedReceived).toHaveLength(byPosition.length - expected.length);
      }),
    );
  });
});
