import { expect, test } from "vitest";
import { decodePartials, encodePartials } from "../../../../../lakehouse/engine/aggregates/partial-format.ts";
import { int32State } from "../../../../../lakehouse/engine/aggregates/state-columns.ts";
import { PartialFormatError } from "../../../../../lakehouse/engine/ir/errors.ts";
import { columnOf } from "../columns/column-of.ts";

const saved = {
  generation: "g1",
  note: "files 1 to 3, ünïcode",
  partials: [
    {
      groups: 3,
      keys: [
        columnOf({ kind: "utf8" }, ["a", null, "straße"]),
        columnOf({ kind: "decimal", precision: 30, scale: 2 }, ["1.00", "-2.50", null]),
        columnOf({ kind: "date" }, [1, 2, 3]),
      ],
      states: [[int32State(Int32Array.of(1, 2, 3, 4, 5))], []],
    },
  ],
};
const bytes = Uint8Array.from(Buffer.concat(encodePartials(saved)));

test("partial results come back as they were, from any place in memory", () => {
  expect(decodePartials(bytes)).toEqual(saved);
  const moved = new Uint8Array(bytes.length + 3);
  moved.set(bytes, 3);
  expect(decodePartials(moved.subarray(3))).toEqual(saved);
});

test("what another version wrote is no partial result of this one", () => {
  const other = bytes.slice();
  other[4] = 99;
  expect(decodePartials(other)).toBeUndefined();
});

test("cut, lengthened or foreign bytes are refused, never read past their end", () => {
  for (let end = 0; end < bytes.length; end++) {
    expect(() => decodePartials(bytes.subarray(0, end)), `${end} bytes`).toThrow(PartialFormatError);
  }
  const longer = new Uint8Array(bytes.length + 8);
  longer.set(bytes);
  expect(() => decodePartials(longer)).toThrow(PartialFormatError);
  expect(() => decodePartials(new TextEncoder().encode("PAR1, it is something else"))).toThrow(PartialFormatError);
});

test("a header that lies about its columns is refused", () => {
  const text = Buffer.from(bytes).toString("latin1");
  const lying = text.replace('"length":3,"sizes":[3,16', '"length":2,"sizes":[3,16');
  expect(lying).not.toBe(text);
  expect(() => decodePartials(Uint8Array.from(Buffer.from(lying, "latin1")))).toThrow(PartialFormatError);
});
