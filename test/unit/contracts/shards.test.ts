import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { shardOf, shardOfAscii } from "../../../contracts/shards.ts";
import { AvroOutput } from "../../../schemas/avro-output.ts";

describe("shardOf", () => {
  test.each<[readonly unknown[], number, number]>([
    [["a"], 8, 5],
    [["event-1"], 8, 7],
    [["event-1", 7], 64, 51],
    [["å𝄞"], 64, 40],
    [[null], 64, 63],
    [[], 8, 1],
  ])("%j of %d is %d, for ever: what is stored stays where it is", (key, of, shard) => {
    expect(shardOf(key, of)).toBe(shard);
  });

  test("is a number below the count; twice the count splits a shard in two", () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.string(), fc.integer(), fc.constant(null)), { maxLength: 3 }),
        fc.nat(7),
        (key, power) => {
          const of = 2 ** power;
          const shard = shardOf(key, of);
          expect(Number.isInteger(shard) && shard >= 0 && shard < of).toBe(true);
          expect(shardOf([...key], of)).toBe(shard);
          expect(shardOf(key, of * 2) % of).toBe(shard);
        },
      ),
    );
  });

  test.each<[string, (i: number) => readonly unknown[]]>([
    ["running numbers", (i) => [`order-${i}`]],
    ["short numbers", (i) => [i]],
    ["UUIDs that differ in their end", (i) => [`0199a3c4-0000-7000-8000-${i.toString(16).padStart(12, "0")}`]],
    ["pairs", (i) => [`customer-${i % 100}`, Math.floor(i / 100)]],
  ])("spreads %s evenly", (_name, key) => {
    const of = 16;
    const keys = 16_000;
    const counts = new Array<number>(of).fill(0);
    for (let i = 0; i < keys; i++) {
      const shard = shardOf(key(i), of);
      counts[shard] = (counts[shard] ?? 0) + 1;
    }
    for (const count of counts) {
      expect(count).toBeGreaterThan((keys / of) * 0.8);
      expect(count).toBeLessThan((keys / of) * 1.2);
    }
  });

  test("parts of a key do not run together", () => {
    const shards = (key: readonly unknown[]) => shardOf(key, 2 ** 20);
    expect(shards(["ab", "c"])).not.toBe(shards(["a", "bc"]));
    expect(shards(["a", ""])).not.toBe(shards(["a"]));
  });
});

describe("shardOfAscii", () => {
  function fromBytes(text: string, of: number): number | undefined {
    const output = new AvroOutput(1);
    output.writeString("before");
    const start = output.at;
    output.writeString(text);
    output.writeString("behind");
    return shardOfAscii(output.bytes, start, of);
  }

  test("is the shard of a short ASCII text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary-ascii", maxLength: 63 }), fc.constantFrom(2, 4, 64, 1_024), (text, of) => {
        expect(fromBytes(text, of)).toBe(shardOf([text], of));
      }),
    );
  });

  test("leaves any other text to its characters", () => {
    expect(fromBytes("x".repeat(64), 4)).toBeUndefined();
    expect(fromBytes("caf\u00e9", 4)).toBeUndefined();
  });
});
