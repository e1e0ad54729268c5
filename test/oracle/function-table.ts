/** A table of arguments for functions, and nasty values for its columns. */
import fc from "fast-check";
import type { ColumnType, Field } from "../../lakehouse/engine/columns/column.ts";
import type { Value } from "../../lakehouse/engine/columns/value.ts";
import type { TableSchema } from "../../tools/build/models/compile-models.ts";

const utf8: ColumnType = { kind: "utf8" };
const int64: ColumnType = { kind: "int64" };

/** `s` and `o` are texts, `o` short; `p` a LIKE pattern; `i` and `j` positions; `far` any integer. */
export const functionTable: TableSchema = {
  name: "f",
  partition: "d",
  fields: [
    field("d", { kind: "date" }),
    ...["s", "o", "p"].map((name) => field(name, utf8)),
    ...["i", "j", "far"].map((name) => field(name, int64)),
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

export const functionValues: Readonly<Record<string, fc.Arbitrary<Value>>> = {
  s: fc.oneof(joined([...letters, ...signs], 10), joined(["a", "b", ","], 12)),
  o: fc.oneof(joined(letters, 2), joined(["a", "b", ","], 3)),
  p: fc.oneof(joined(["a", "b", "é", "🦆", "%", "_", "!", ...signs], 8), joined(["a", "%", "_"], 8)),
  i: positions,
  j: positions,
  far: fc.oneof(
    positions,
    fc.constantFrom(2n ** 32n, 2n ** 32n - 1n, -(2n ** 32n), -(2n ** 32n) - 1n, 2n ** 63n - 1n, -(2n ** 63n)),
  ),
};
