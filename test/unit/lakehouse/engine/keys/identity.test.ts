import fc from "fast-check";
import { expect, test } from "vitest";
import type { ColumnType, Value } from "../../../../../lakehouse/engine/columns/column.ts";
import { IDENTITY_BYTES, identitiesOf } from "../../../../../lakehouse/engine/keys/identity.ts";
import { KeySet } from "../../../../../lakehouse/engine/keys/key-set.ts";
import { columnOf } from "../columns/column-of.ts";

function hexOf(...columns: [ColumnType, readonly Value[]][]): string[] {
  const length = columns[0]?.[1].length ?? 0;
  const bytes = identitiesOf(
    columns.map(([type, values]) => columnOf(type, values)),
    length,
  );
  return Array.from({ length }, (_, row) =>
    Buffer.from(bytes.subarray(row * IDENTITY_BYTES, (row + 1) * IDENTITY_BYTES)).toString("hex"),
  );
}

const utf8: ColumnType = { kind: "utf8" };
const decimal = (precision: number, scale: number): ColumnType => ({ kind: "decimal", precision, scale });

test("a UUID in lower case is its own identity; every other text is hashed and cannot be taken for one", () => {
  const uuid = "018f2b5e-7c3a-7def-8123-456789abcdef";
  const [own, upper, other, claimed, close] = hexOf([
    utf8,
    [uuid, uuid.toUpperCase(), "e-1", "018f2b5e-7c3a-fdef-8123-456789abcdef", `${uuid} `],
  ]);
  expect(own).toBe(uuid.replaceAll("-", ""));
  for (const hashed of [upper, other, claimed, close]) expect(hashed?.[12]).toBe("f");
  expect(new Set([own, upper, other, claimed, close]).size).toBe(5);
});

test("numbers are equal by value, whatever their type, so that a wider column keeps its keys", () => {
  const one = [
    hexOf([{ kind: "int32" }, [1]]),
    hexOf([{ kind: "int64" }, [1n]]),
    hexOf([{ kind: "float64" }, [1]]),
    hexOf([decimal(12, 2), ["1.00"]]),
    hexOf([decimal(38, 10), ["1.0000000000"]]),
  ];
  expect(new Set(one.flat()).size).toBe(1);
  expect(hexOf([{ kind: "float64" }, [-0]])).toEqual(hexOf([{ kind: "float64" }, [0]]));
  expect(hexOf([decimal(12, 2), ["10.50"]])).toEqual(hexOf([{ kind: "float64" }, [10.5]]));
  expect(hexOf([decimal(12, 2), ["100.00"]])).toEqual(hexOf([{ kind: "int32" }, [100]]));
  expect(hexOf([{ kind: "int32" }, [1]])).not.toEqual(hexOf([utf8, ["1"]]));
});

test("keys of several columns are told apart wherever their values are cut, NULL included", () => {
  const pairs: [string | null, string | null][] = [
    ["ab", "c"],
    ["a", "bc"],
    ["abc", ""],
    ["", "abc"],
    [null, "abc"],
    ["abc", null],
    [null, null],
    ["\u0000", ""],
    ["", "\u0000"],
  ];
  const found = hexOf([utf8, pairs.map(([a]) => a)], [utf8, pairs.map(([, b]) => b)]);
  expect(new Set(found).size).toBe(pairs.length);
});

test("a set of keys knows, takes and gives back what a set of texts would", () => {
  const words = fc.array(fc.constantFrom("a", "b", "c", "d", "e", "f", "00000000-0000-4000-8000-000000000001"), {
    maxLength: 30,
  });
  fc.assert(
    fc.property(words, words, fc.integer(), (added, known, seed) => {
      const keys = new KeySet(added.length, seed >>> 0);
      const identities = (texts: string[]) => identitiesOf([columnOf(utf8, texts)], texts.length);
      const slots = keys.add(identities(added));
      expect(keys.size).toBe(new Set(added).size);
      keys.markKnown(identities(known));
      const taken: string[] = [];
      for (const [row, text] of added.entries()) {
        const slot = slots[row] ?? -1;
        expect(keys.isFree(slot)).toBe(!known.includes(text) && !taken.includes(text));
        if (!keys.isFree(slot)) continue;
        keys.take(slot);
        taken.push(text);
      }
      expect(Buffer.from(keys.taken())).toEqual(Buffer.from(identities(taken)));
    }),
  );
  expect(() => new KeySet(1, 0).add(identitiesOf([columnOf(utf8, ["a", "b"])], 2))).toThrow("more than 1 keys");
});
