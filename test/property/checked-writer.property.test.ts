/** The checked writer gives avsc's bytes, for every valid event of every topic and for the numbers at the edges. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { contractOf, contracts } from "../../contracts/registry.ts";
import { compileCheckedWriter } from "../../gateway/admit/checked-writer.ts";
import { CLEAN, EXTREME, INVALID } from "../../gateway/admit/fast-pass.ts";
import { compilePlan } from "../../gateway/admit/plan.ts";
import { AvroOutput } from "../../schemas/avro-output.ts";
import { buildCodec, codecsOf } from "../../schemas/codecs.ts";
import { jsonFromInteger, parseExactJson } from "../../schemas/exact-json.ts";
import { arbitraryEvent } from "../oracle/arbitrary-event.ts";
import { localMasker, storedForm } from "../oracle/local-masker.ts";

const RECEIVED = 1_795_262_400_000_000;

for (const contract of contracts.filter((each) => !each.platformOnly)) {
  for (const codec of codecsOf(contract.topic)) {
    test(`${contract.topic} v${codec.version}`, () => {
      const plan = compilePlan(contract, codec.schema);
      const write = compileCheckedWriter(plan, { eventMicros: 0, eventStart: 0, keyStart: -1, masker: localMasker() });
      fc.assert(
        fc.property(arbitraryEvent(plan, RECEIVED, contract), (text) => {
          const event = parseExactJson(text);
          const output = new AvroOutput(1);
          expect(write(event, output) & INVALID).toBe(0);
          expect(Buffer.from(output.slice(0, output.at)).toString("hex")).toBe(
            codec.type.toBuffer(storedForm(event, plan)).toString("hex"),
          );
        }),
      );
    });
  }
}

describe("edges", () => {
  const codec = buildCodec({
    id: 1,
    topic: "edges",
    version: 1,
    schema: {
      type: "record",
      name: "Edges",
      fields: [
        { name: "long", type: "long" },
        { name: "double", type: "double" },
        { name: "text", type: "string" },
        { name: "amount", type: { type: "bytes", logicalType: "decimal", precision: 15, scale: 2 } },
      ],
    },
  });
  const orders = contractOf("orders");
  if (orders === undefined) throw new Error("there is no topic orders");
  const plan = compilePlan({ ...orders, topic: "edges", eventTime: "none", fields: [] }, codec.schema);
  const write = compileCheckedWriter(plan, { eventMicros: 0, eventStart: 0, keyStart: -1, masker: null });

  test("longs, doubles, texts of any script and length, decimals", () => {
    fc.assert(
      fc.property(
        fc.record({
          long: fc.oneof(
            fc.maxSafeInteger(),
            fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(jsonFromInteger),
            fc.constantFrom(2n ** 53n, -(2n ** 52n) - 1n, 2n ** 63n - 1n, -(2n ** 63n)).map(jsonFromInteger),
            fc.integer(),
            fc.constantFrom(-(2 ** 30), 2 ** 30, 2 ** 31, -1, 63, 64, -64, -65),
          ),
          double: fc.double({ noNaN: true, noDefaultInfinity: true }),
          text: fc.oneof(
            fc.string({ unit: "grapheme", maxLength: 300 }),
            fc.string({ minLength: 55, maxLength: 70 }),
            fc.constantFrom("é".repeat(31), "é".repeat(32), "a".repeat(63), "a".repeat(64)),
          ),
          amount: fc
            .oneof(
              fc.integer({ min: -(10 ** 9), max: 10 ** 9 }),
              fc.integer({ min: -300, max: 300 }),
              fc.constantFrom(127, 128, -128, -129, 32_767, 32_768, -32_768, -32_769),
            )
            .map((n) => n / 100),
        }),
        (event) => {
          const output = new AvroOutput(1);
          expect(write(event, output) & ~EXTREME).toBe(CLEAN);
          expect(Buffer.from(output.slice(0, output.at)).toString("hex")).toBe(
            codec.type.toBuffer(event).toString("hex"),
          );
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
