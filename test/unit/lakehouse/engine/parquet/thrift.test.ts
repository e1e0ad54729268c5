import { describe, expect, test } from "vitest";
import { ThriftError, type ThriftStruct, type ThriftValue } from "../../../../../lakehouse/engine/parquet/thrift.ts";
import { decodeThrift } from "../../../../../lakehouse/engine/parquet/thrift-decode.ts";
import { encodeThrift } from "../../../../../lakehouse/engine/parquet/thrift-encode.ts";

const struct = (...fields: [number, ThriftValue][]): ThriftStruct => ({ kind: "struct", fields: new Map(fields) });

/** With the fields of views of bytes. */
function plain(value: ThriftValue): ThriftValue {
  if (value.kind === "list") return { ...value, items: value.items.map(plain) };
  if (value.kind !== "struct") return value;
  return struct(...[...value.fields].map(([id, field]): [number, ThriftValue] => [id, plain(field)]));
}

test("every kind of value survives", () => {
  const items = (count: number): ThriftValue => ({
    kind: "list",
    element: 12,
    items: Array.from({ length: count }, () => struct([1, { kind: "bool", value: false }])),
  });
  const value = struct(
    [1, { kind: "bool", value: true }],
    [2, { kind: "byte", value: 200 }],
    [3, { kind: "int", wire: 4, value: -1 }],
    [20, { kind: "int", wire: 5, value: -(2 ** 31) }],
    [21, { kind: "int", wire: 6, value: 2 ** 50 + 1 }],
    [400, { kind: "double", bytes: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8) }],
    [401, { kind: "binary", bytes: new Uint8Array(200).fill(7) }],
    [402, items(3)],
    [403, items(300)],
    [
      404,
      {
        kind: "list",
        element: 1,
        items: [
          { kind: "bool", value: true },
          { kind: "bool", value: false },
        ],
      },
    ],
  );
  expect(plain(decodeThrift(encodeThrift(value)))).toEqual(value);
  // What was decoded is written as it stands, within others too.
  const outer = struct([1, decodeThrift(encodeThrift(value))]);
  expect(plain(decodeThrift(encodeThrift(outer)))).toEqual(struct([1, value]));
});

describe("hostile bytes are refused at once", () => {
  test.each([
    ["nothing", [], /past the end/],
    ["a binary longer than the bytes", [0x18, 0x7f, 0x01], /past the end/],
    ["a list longer than the bytes", [0x19, 0xfc, 0xff, 0xff, 0xff, 0x7f], /longer than the footer/],
    ["an integer without end", [0x16, ...Array.from({ length: 30 }, () => 0x80)], /too many bytes/],
    ["an integer of 64 bits", [0x16, ...Array.from({ length: 9 }, () => 0xff), 0x01], /beyond 2\^53/],
    ["a map", [0x1b, 0x00, 0x00], /unknown type 11/],
    ["structs in structs", Array.from({ length: 100 }, () => 0x1c), /nested too deep/],
    ["lists in lists", [0x19, ...Array.from({ length: 100 }, () => 0x19)], /nested too deep/],
  ])("%s", (_, bytes, message) => {
    const decode = () => decodeThrift(Uint8Array.from(bytes));
    expect(decode).toThrow(ThriftError);
    expect(decode).toThrow(message);
  });
});
