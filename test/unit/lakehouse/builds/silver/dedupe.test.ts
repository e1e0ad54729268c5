import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { deduplicate } from "../../../../../lakehouse/builds/silver/dedupe.ts";
import type { Field } from "../../../../../lakehouse/engine/columns/column.ts";
import { batchOf } from "../../engine/columns/column-of.ts";

const FIELDS: readonly Field[] = [
  { name: "id", type: { kind: "utf8" }, nullable: true },
  { name: "n", type: { kind: "int32" }, nullable: false },
  { name: "_received", type: { kind: "timestamp" }, nullable: false },
  { name: "_message", type: { kind: "utf8" }, nullable: false },
  { name: "_event", type: { kind: "int32" }, nullable: false },
];

type Row = { id: string | null; n: number; _received: bigint; _message: string; _event: number };

function row(id: string | null, received: number, message: string, event: number, n = 0): Row {
  return { id, n, _received: BigInt(received), _message: message, _event: event };
}

function keyOf(one: Row): string {
  return JSON.stringify([one.id, one.n]);
}

describe("deduplicate", () => {
  test("keeps the first by (received, message id, event index) and counts the copies", () => {
    const rows = [
      row("a", 2, "m1", 0),
      row("a", 1, "m2", 1),
      row("a", 1, "m2", 0),
      row("b", 1, "m1", 5),
      row("a", 1, "m3", 0),
    ];
    const { rows: kept, copies, removedReceived } = deduplicate(batchOf(FIELDS, rows), ["id"]);
    expect([...kept]).toEqual([3, 2]);
    expect([...copies]).toEqual([1, 4]);
    expect([...removedReceived].sort()).toEqual([1, 1, 2]);
  });

  test("NULL is a value of a key of its own, apart from every text", () => {
    const rows = [
      row(null, 1, "m", 0),
      row("", 1, "m", 1),
      row("n", 1, "m", 2),
      row(null, 1, "m", 3),
      row("vn", 1, "m", 4),
    ];
    expect([...deduplicate(batchOf(FIELDS, rows), ["id"]).rows]).toEqual([0, 1, 2, 4]);
  });

  test("a key that the rows lack is an error", () => {
    expect(() => deduplicate(batchOf(FIELDS, []), ["other"])).toThrow(RangeError);
  });

  test("is the same, in the same order, whatever order the rows come in", () => {
    const arbitraryRow = fc.record({
      id: fc.option(fc.constantFrom("a", "b", "å", "𝄞", ""), { nil: null }),
      n: fc.integer({ min: 0, max: 1 }),
      _received: fc.bigInt({ min: -2n, max: 2n }),
      // UTF-16 order is not UTF-8 order for these two.
      _message: fc.constantFrom("\uffff", "𝄞", "m"),
    });
    const rows = fc.array(arbitraryRow, { maxLength: 40 }).chain((all) => {
      const unique = all.map((one, i) => ({ ...one, _event: i }));
      return fc.tuple(
        fc.constant(unique),
        fc.shuffledSubarray(unique, { minLength: unique.length, maxLength: unique.length }),
      );
    });
    fc.assert(
      fc.property(rows, ([one, other]) => {
        const before = (a: Row, b: Row): number => {
          if (a._received !== b._received) return a._received < b._received ? -1 : 1;
          return Buffer.compare(Buffer.from(a._message), Buffer.from(b._message)) || a._event - b._event;
        };
        const sorted = [...one].sort(before);
        const expected = sorted.filter((row, i) => sorted.findIndex((other) => keyOf(other) === keyOf(row)) === i);
        const result = deduplicate(batchOf(FIELDS, other), ["id", "n"]);
        expect([...result.rows].map((i) => other[i])).toEqual(expected);
        expect([...result.copies]).toEqual(
          expected.map((row) => one.filter((other) => keyOf(other) === keyOf(row)).length),
        );
        expect(result.removedReceived).toHaveLength(one.length - expected.length);
      }),
    );
  });
});
