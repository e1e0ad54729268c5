import { expect, test } from "vitest";
import {
  encodePartial,
  PartialReader,
  type SavedPart,
} from "../../../../../lakehouse/engine/aggregates/partial-format.ts";
import { int32State } from "../../../../../lakehouse/engine/aggregates/state-columns.ts";
import { PartialFormatError } from "../../../../../lakehouse/engine/ir/errors.ts";
import { columnOf } from "../columns/column-of.ts";

const title = { generation: "g1", note: "files 1 to 3, ünïcode" };
const parts: readonly SavedPart[] = [
  {
    point: 0,
    part: {
      kind: "groups",
      groups: 3,
      keys: [
        columnOf({ kind: "utf8" }, ["a", null, "straße"]),
        columnOf({ kind: "decimal", precision: 30, scale: 2 }, ["1.00", "-2.50", null]),
        columnOf({ kind: "date" }, [1, 2, 3]),
      ],
      states: [[int32State(Int32Array.of(1, 2, 3, 4, 5))], []],
    },
  },
  { point: 0, part: { kind: "pairs", aggregate: 1, portion: [int32State(Int32Array.of(0, 7, 8, 9))] } },
];
const written = [...encodePartial(title, parts)].map((pieces) => Uint8Array.from(Buffer.concat(pieces)));
const bytes = Uint8Array.from(Buffer.concat(written));

function read(...pieces: readonly Uint8Array[]): SavedPart[] {
  const reader = new PartialReader(title.generation);
  const found = pieces.flatMap((piece) => [...reader.read(piece)]);
  reader.finish();
  return found;
}

test("partial results come back as they were, from any place in memory, at once and part by part", () => {
  expect(read(bytes)).toEqual(parts);
  const moved = new Uint8Array(bytes.length + 3);
  moved.set(bytes, 3);
  expect(read(moved.subarray(3))).toEqual(parts);
  expect(read(...written)).toEqual(parts);
  expect(written.every(({ length }) => length % 8 === 0)).toBe(true);
});

test("what another version or another plan wrote is no partial result of this one", () => {
  const other = bytes.slice();
  other[4] = 1;
  expect(() => read(other)).toThrow(/another version/);
  expect(() => [...new PartialReader("g2").read(bytes)]).toThrow(/another plan/);
});

test("cut, lengthened or foreign bytes and missing parts are refused, never read past their end", () => {
  for (let end = 0; end < bytes.length; end++) {
    expect(() => read(bytes.subarray(0, end)), `${end} bytes`).toThrow(PartialFormatError);
  }
  const longer = new Uint8Array(bytes.length + 8);
  longer.set(bytes);
  expect(() => read(longer)).toThrow(PartialFormatError);
  expect(() => read(bytes, bytes)).toThrow(PartialFormatError);
  const [first, second, end] = written;
  if (first === undefined || second === undefined || end === undefined) throw new Error("there are three parts");
  for (const chosen of [
    [second, end],
    [first, end],
    [first, second],
    [second, first, end],
  ])
    expect(() => read(...chosen)).toThrow(PartialFormatError);
  expect(() => read(new TextEncoder().encode("PAR1, it is something else"))).toThrow(PartialFormatError);
});

test("a header that lies about its columns is refused", () => {
  const text = Buffer.from(bytes).toString("latin1");
  const lying = text.replace('"length":3,"sizes":[3,16', '"length":2,"sizes":[3,16');
  expect(lying).not.toBe(text);
  expect(() => read(Uint8Array.from(Buffer.from(lying, "latin1")))).toThrow(PartialFormatError);
});
