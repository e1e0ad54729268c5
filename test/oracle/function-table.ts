/** A table of arguments for functions, and nasty values for its columns. */
import fc from "fast-check";
import type { ColumnType, Field } from "../../lakehouse/engine/columns/column.ts";
import type { Value } from "../../lakehouse/engine/columns/value.ts";
import type { TableSchema } from "../../tools/build/models/compile-models.ts";

const utf8: ColumnType = { kind: "utf8" };
const int64: ColumnType = { kind: "int64" };
const timestamp: ColumnType = { kind: "timestamp" };
const date: ColumnType = { kind: "date" };

/**
 * `s` and `o` are texts, `o` short; `p` a LIKE pattern; `i` and `j` positions; `far` any integer; `t` and `u` moments, `day`
 * and `due` dates; `m` a count and `x` a double for intervals.
 */
export const functionTable: TableSchema = {
  name: "f",
  partition: "d",
  fields: [
    field("d", date),
    ...["s", "o", "p"].map((name) => field(name, utf8)),
    ...["i", "j", "far"].map((name) => field(name, int64)),
    ...["t", "u"].map((name) => field(name, timestamp)),
    ...["day", "due"].map((name) => field(name, date)),
    field("m", { kind: "int32" }),
    field("x", { kind: "float64" }),
  ],
};

function field(name: string, type: ColumnType): Field {
  return { name, type, nullable: true };
}

/** Few letters, so that texts meet; of every length in UTF-8, spaces that are trimmed and some that are not. */
const letters = [
  "a",
  "b",
  "A",
  "é",
  "É",
  "🦆",
  "𝒳",
  "ß",
  "e\u0301",
  " ",
  "\u00a0",
  "\u3000",
  "\t",
  "\u200b",
  ",",
  "\uffff",
];
const signs = ["%", "_", "!", "\\", "\0"];
const positions = fc.bigInt({ min: -9n, max: 9n });

function joined(parts: readonly string[], maxLength: number): fc.Arbitrary<string> {
  return fc.array(fc.constantFrom(...parts), { maxLength }).map((chosen) => chosen.join(""));
}

const MICROS_PER_DAY = 86_400_000_000n;

/** Days at the ends of months, leap days, both sides of the epoch and of weeks; and the infinite ones. */
const days = fc.oneof(
  fc.integer({ min: -20, max: 20 }),
  fc
    .tuple(
      fc.constantFrom(1600, 1899, 1900, 1969, 1970, 1999, 2000, 2023, 2024, 2100),
      fc.nat(11),
      fc.integer({ min: -2, max: 1 }),
    )
    .map(([year, month, step]) => Date.UTC(year, month, 1) / 86_400_000 + step),
  fc.integer({ min: -130_000, max: 150_000 }),
  fc.constantFrom(2 ** 31 - 1, -(2 ** 31) + 1),
);
const clocks = fc.oneof(
  fc.constantFrom(0n, 1n, MICROS_PER_DAY - 1n, 3_600_000_000n, 43_200_000_000n, 999n),
  fc.bigInt({ min: 0n, max: MICROS_PER_DAY - 1n }),
);
const moments = fc
  .tuple(days, clocks)
  .map(([day, clock]) =>
    Math.abs(day) > 2e9 ? (day > 0 ? 2n ** 63n - 1n : -(2n ** 63n) + 1n) : BigInt(day) * MICROS_PER_DAY + clock,
  );

export const functionValues: Readonly<Record<string, fc.Arbitrary<Value>>> = {
  s: fc.oneof(joined([...letters, ...signs], 10), joined(["a", "b", ","], 12)),
  o: fc.oneof(joined(letters, 2), joined(["a", "b", ","], 3)),
  p: fc.oneof(joined(["a", "b", "é", "🦆", "%", "_", "!", ...signs], 8), joined(["a", "%", "_"], 8)),
  i: positions,
  j: positions,
  t: moments,
  u: moments,
  day: days,
  due: days,
  m: fc.oneof(fc.integer({ min: -40, max: 40 }), fc.integer({ min: -3000, max: 3000 })),
  x: fc.oneof(fc.double({ min: -1e6, max: 1e6, noNaN: true }), fc.constantFrom(0, -0, 0.5, 1.5, -1.5, 1.0000005)),
  far: fc.oneof(
    positions,
    fc.constantFrom(2n ** 32n, 2n ** 32n - 1n, -(2n ** 32n), -(2n ** 32n) - 1n, 2n ** 63n - 1n, -(2n ** 63n)),
  ),
};
