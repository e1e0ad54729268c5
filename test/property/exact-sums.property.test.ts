/** Sums of doubles are exact and rounded once: no order and no split changes a bit. Held against whole numbers of any size. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { DoubleSums } from "../../lakehouse/engine/aggregates/double-sums.ts";
import { createFloatSum } from "../../lakehouse/engine/aggregates/float-sums.ts";
import { IntegerSums } from "../../lakehouse/engine/aggregates/integer-sums.ts";
import { nearestDouble } from "../../lakehouse/engine/aggregates/nearest-double.ts";
import { valueAt } from "../../lakehouse/engine/columns/value.ts";
import { columnOf } from "../unit/lakehouse/engine/columns/column-of.ts";

/** A finite double as a multiple of 2^-1074. */
function units(value: number): bigint {
  const words = new DataView(new ArrayBuffer(8));
  words.setFloat64(0, value);
  const bits = words.getBigUint64(0);
  const exponent = Number((bits >> 52n) & 0x7ffn);
  const mantissa = bits & 0xf_ffff_ffff_ffffn;
  const size = exponent === 0 ? mantissa : (mantissa | 0x10_0000_0000_0000n) << BigInt(exponent - 1);
  return bits >> 63n === 1n ? -size : size;
}

/** By its definition: the double whose distance is least, and of two the even one. Neighbours of the candidate are tried. */
function isNearest(sum: bigint, result: number): boolean {
  const distance = (value: number) => {
    const difference = units(value) - sum;
    return difference < 0n ? -difference : difference;
  };
  const own = distance(result);
  const words = new DataView(new ArrayBuffer(8));
  words.setFloat64(0, result);
  const bits = words.getBigUint64(0);
  for (const neighbour of [bits + 1n, bits - 1n]) {
    if ((neighbour & 0x7fff_ffff_ffff_ffffn) >= 0x7ff0_0000_0000_0000n) continue;
    words.setBigUint64(0, BigInt.asUintN(64, neighbour));
    const other = distance(words.getFloat64(0));
    if (other < own || (other === own && own > 0n && (bits & 1n) === 1n)) return false;
  }
  return true;
}

const doubles = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true, max: 1e300, min: -1e300 }),
  fc.double({ min: -1000, max: 1000, noNaN: true }).map((value) => Math.round(value * 100) / 100),
  fc.constantFrom(0, -0, 5e-324, -5e-324, 2.2250738585072014e-308, 1e300, -1e300, 2 ** 53, 1, 2 ** -53, 0.1),
);

test("a sum of doubles is the nearest double of the exact sum, in whatever order and parts", () => {
  fc.assert(
    fc.property(fc.array(doubles, { maxLength: 60 }), fc.nat({ max: 60 }), (values, cut) => {
      const whole = new DoubleSums();
      whole.begin(1, values.length);
      for (const value of values) whole.add(0, value);
      const expected = values.reduce((sum, value) => sum + units(value), 0n);
      expect(isNearest(expected, whole.total(0))).toBe(true);

      const parts = [values.slice(cut).toReversed(), values.slice(0, cut)];
      const merged = new DoubleSums();
      for (const part of parts) {
        const sums = new DoubleSums();
        // The part's only group is its second, and the second of the whole.
        sums.begin(2, part.length);
        for (const value of part) sums.add(1, value);
        merged.merge(sums.save(0, 2), Int32Array.of(0, 1), 2);
      }
      expect(Object.is(merged.total(1), whole.total(0))).toBe(true);
      expect(merged.total(0)).toBe(0);
    }),
    { numRuns: 600 },
  );
});

test("millions of additions keep their bits through the carries", () => {
  const rows = 2_500_000;
  const groups = new Int32Array(rows);
  const values = new Float64Array(rows).fill(-Number.MAX_VALUE / 4e6);
  values[7] = 1;
  const sum = createFloatSum(false);
  sum.update([{ kind: "float64", type: { kind: "float64" }, length: rows, nulls: undefined, values }], groups, 1);
  const expected = units(values[0] ?? 0) * BigInt(rows - 1) + units(1);
  expect(isNearest(expected, Number(valueAt(sum.finish(1), 0)))).toBe(true);
});

test("a sum past the largest double is infinite; one that only passes it on the way is not", () => {
  const sums = new DoubleSums();
  sums.begin(2, 4);
  for (const value of [Number.MAX_VALUE, Number.MAX_VALUE]) sums.add(0, value);
  for (const value of [Number.MAX_VALUE, Number.MAX_VALUE, -Number.MAX_VALUE]) sums.add(1, value);
  expect([sums.total(0), sums.total(1)]).toEqual([Number.POSITIVE_INFINITY, Number.MAX_VALUE]);
});

test("infinities and NaN end in what adding them gives", () => {
  const inf = Number.POSITIVE_INFINITY;
  const column = columnOf({ kind: "float64" }, [1, inf, inf, -inf, inf, Number.NaN, null, 2]);
  const sum = createFloatSum(false);
  sum.update([column], Int32Array.of(0, 0, 1, 1, 2, 3, 4, -1), 6);
  const result = sum.finish(6);
  expect([0, 1, 2, 3, 4, 5].map((group) => valueAt(result, group))).toEqual([
    inf,
    Number.NaN,
    inf,
    Number.NaN,
    null,
    null,
  ]);
});

test("what is rounded to a double is rounded to even, at every size", () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: -(2n ** 200n), max: 2n ** 200n }),
      fc.integer({ min: -1074, max: 700 }),
      (value, exponent) => {
        expect(isNearest(value << BigInt(exponent + 1074), nearestDouble(value, exponent))).toBe(true);
      },
    ),
    { numRuns: 600 },
  );
});

test("sums of integers of every width are exact, in whatever parts", () => {
  const value = fc.oneof(
    fc.bigInt({ min: -(2n ** 31n), max: 2n ** 31n - 1n }),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.constantFrom(2n ** 31n, -(2n ** 31n) - 1n, 2n ** 63n - 1n, -(2n ** 63n)),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(value, fc.nat({ max: 3 })), { maxLength: 40 }), fc.nat({ max: 40 }), (rows, cut) => {
      const merged = new IntegerSums();
      for (const part of [rows.slice(cut), rows.slice(0, cut)]) {
        const sums = new IntegerSums();
        sums.add(
          columnOf(
            { kind: "int64" },
            part.map(([number]) => number),
          ),
          Int32Array.from(part, ([, group]) => group),
          4,
        );
        merged.merge(sums.save(0, 4), Int32Array.of(0, 1, 2, 3), 4);
      }
      for (const group of [0, 1, 2, 3]) {
        const expected = rows.reduce((sum, [number, at]) => (at === group ? sum + number : sum), 0n);
        expect(merged.total(group)).toBe(expected);
      }
    }),
    { numRuns: 300 },
  );
});
