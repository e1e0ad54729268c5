import { beforeAll, describe, expect, test } from "vitest";
import { createUnknownFields } from "../../../../lakehouse/bronze/unknown-fields.ts";
import { writeBronze } from "../../../../lakehouse/bronze/write.ts";
import { createColumnBuilder } from "../../../../lakehouse/engine/columns/builder.ts";
import { loadParquetWasm } from "../../../../tools/build/parquet-wasm-node.ts";
import { blocksOf, framesOf, makeMessage, uuidAt } from "../../../oracle/frames.ts";
import { MemoryBucket } from "../../../oracle/memory-bucket.ts";
import { permit } from "../../../oracle/permit.ts";
import { reading, requireContract } from "../../../oracle/weather.ts";

const NOW = Date.UTC(2026, 10, 21, 12) * 1_000;

/** The pointers of rows with these residues. */
function pointersOf(topic: string, ...extras: readonly (string | null)[]): string[] {
  const field = { name: "_extra", type: { kind: "utf8" }, nullable: true } as const;
  const builder = createColumnBuilder(field.type);
  if (builder.kind !== "bytes") throw new TypeError("no text");
  for (const extra of extras) {
    if (extra === null) builder.pushNull();
    else builder.pushString(extra);
  }
  const batch = { fields: [field], columns: [builder.finish()], length: extras.length };
  const unknown = createUnknownFields(requireContract(topic));
  expect([...unknown.noting([batch])]).toEqual([batch]);
  return unknown.pointers();
}

describe("unknown fields", () => {
  test.each<[string, (string | null)[], string[]]>([
    ["none", [null, null], []],
    ["one in many rows", ['{"note":1}', null, '{"note":{"deep":2}}'], ["/note"]],
    [
      "within the items of a known list",
      ['{"items":[{},{"gift":true},{"gift":false,"colour":"red"}]}'],
      ["/items/*/colour", "/items/*/gift"],
    ],
    ["a name with the pointer's own characters", ['{"a/b":1,"c~d":2}'], ["/a~1b", "/c~0d"]],
    ["names of JavaScript", ['{"__proto__":1,"constructor":2,"length":3}'], ["/__proto__", "/constructor", "/length"]],
    ["what a CloudEvent's envelope said", ['{"_cloudevent":{"source":"/shop"},"note":1}'], ["/note"]],
    ["a residue that is no JSON, or no object", ['{"note', "[1]", '{"mood":1}'], ["/mood"]],
    ["an empty name", ['{"":1}'], ["/"]],
  ])("%s", (_, extras, expected) => {
    expect(pointersOf("orders", ...extras)).toEqual(expected);
  });

  test("are bounded: in number, and in length", () => {
    const many = Array.from({ length: 500 }, (_, i) => `{"${"x".repeat(i)}${i}":1}`);
    const pointers = pointersOf("orders", ...many);
    expect(pointers).toHaveLength(50);
    const [long] = pointersOf("orders", `{"${"😀".repeat(5_000)}":1}`);
    expect(long?.length).toBeLessThanOrEqual(200);
    expect(long?.isWellFormed()).toBe(true);
  });

  test("of a topic with masked fields have no names", () => {
    expect(pointersOf("users", null)).toEqual([]);
    expect(pointersOf("users", '"sluice:aes:v1:abc"', '"sluice:aes:v1:def"')).toEqual(["/"]);
  });
});

describe("a flush", () => {
  beforeAll(() => loadParquetWasm());

  test("names those of each of its files", async () => {
    const day = 86_400_000_000;
    const extras = [null, '{"note":"a"}', '{"mood":"b"}', null];
    const events = extras.map((extra, i) => ({
      event: reading(`e${i}`, NOW - (i === 2 ? day : 0)),
      extra,
      lexical: null,
    }));
    const message = makeMessage({ topic: "weather", messageId: uuidAt(NOW / 1_000, 1), received: NOW, events });
    const flush = { topic: "weather", shard: 0, shardOf: 1, incarnation: "abcd1234", seq: 1 };
    const write = (bucket: MemoryBucket) =>
      writeBronze({ bucket, permit }, requireContract("weather"), flush, blocksOf(framesOf(message)));
    const files = await write(new MemoryBucket());
    expect(files.map(({ unknownFields }) => unknownFields)).toEqual([["/mood"], ["/note"]]);
  });
});
