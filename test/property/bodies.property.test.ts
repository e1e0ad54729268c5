/** Bodies: where events stand in JSON and NDJSON; that neither the cutting of a body nor of a document changes what is read. */
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { contractOf } from "../../contracts/registry.ts";
import { compilePlan } from "../../gateway/admit/plan.ts";
import { createDatumDecoder } from "../../gateway/bodies/avro/datum.ts";
import { MalformedBody } from "../../gateway/bodies/event-batch.ts";
import { gunzip } from "../../gateway/bodies/gzip.ts";
import { jsonBatches } from "../../gateway/bodies/json.ts";
import { ndjsonBatches } from "../../gateway/bodies/ndjson.ts";
import { codecById } from "../../schemas/codecs.ts";
import { parseExactJson } from "../../schemas/exact-json.ts";
import { arbitraryEvent, canonicalJson } from "../oracle/arbitrary-event.ts";
import { inChunks, readAll, utf8 } from "../oracle/event-batches.ts";

const spaces = fc.stringMatching(/^[ \t\r\n]{0,3}$/);
const values = fc.oneof(
  fc.json({ maxDepth: 3 }),
  fc.constantFrom(
    '"\\"],[{"',
    '{"a":"}"}',
    '{"a":[{},{"a":1}]}',
    '{"a":",{\\"a\\":"}',
    '{ "a":1}',
    '{"a name of more bytes than the search compares, once":{}}',
    '{"a name of more bytes than the search compares, and again":{}}',
    '"é€😀\\\\"',
    "12345678901234567890",
    '{"n":0.10000000000000000001}',
  ),
);
const chunkSizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 6 });

describe("a JSON document", () => {
  it("is read with every element where it stands, whole and in groups", async () => {
    const elements = fc.array(fc.tuple(spaces, values, spaces), { minLength: 1 });
    await fc.assert(
      fc.asyncProperty(elements, spaces, fc.integer({ min: 0, max: 60 }), async (parts, space, groupBytes) => {
        const text = `${space}[${parts.map((part) => part.join("")).join(",")}]${space}`;
        for (const bytes of [utf8(text), utf8(`\ufeff${text}`)]) {
          for (const [pieceSize, group] of [
            [1e6, groupBytes],
            [1e6, 1e6],
            [groupBytes, 1e6],
            [groupBytes, 0],
          ] as const) {
            const read = await readAll(jsonBatches(bytes, { pieceBytes: pieceSize, groupBytes: group }));
            expect(read.map(({ payload }) => payload)).toEqual(parts.map(([, value]) => value));
            expect(read.map(({ event }) => canonicalJson(event))).toEqual(
              parts.map(([, value]) => canonicalJson(parseExactJson(value))),
            );
          }
        }
      }),
    );
  });

  it("that is no JSON is none in groups either, whatever was cut or put in", async () => {
    const elements = fc.array(fc.tuple(spaces, values), { minLength: 1, maxLength: 6 });
    const junk = fc.constantFrom(",", "[", "]", "{", "}", '"', "\\", "1", "");
    await fc.assert(
      fc.asyncProperty(
        elements,
        junk,
        fc.nat(),
        fc.nat(3),
        fc.integer({ min: 0, max: 9 }),
        async (parts, put, where, cut, group) => {
          const valid = `[${parts.map((part) => part.join("")).join(",")}]`;
          const at = where % (valid.length + 1);
          const text = (valid.slice(0, at) + put + valid.slice(at + cut)).toWellFormed();
          fc.pre(text.startsWith("["));
          const bytes = utf8(text);
          const outcome = async (pieceBytes: number, groupBytes: number) => {
            try {
              return (await readAll(jsonBatches(bytes, { pieceBytes, groupBytes }))).map(({ event, payload }) => [
                canonicalJson(event),
                payload,
              ]);
            } catch (error) {
              if (error instanceof MalformedBody) return "malformed";
              throw error;
            }
          };
          const whole = await outcome(1e6, 1e6);
          for (const groupBytes of [group, 1e6]) {
            for (const pieceBytes of [group, 1e6]) expect(await outcome(pieceBytes, groupBytes)).toEqual(whole);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe("NDJSON", () => {
  const bad = fc.constantFrom('{"a":', "nonsense", "[1,2", "\ufeff1", "\u00a0");
  const line = fc.oneof(values, bad, fc.stringMatching(/^[ \t]{0,2}$/));
  const lines = fc.array(line, { minLength: 1 });

  it("is read line by line, each where it stands", async () => {
    await fc.assert(
      fc.asyncProperty(lines, fc.constantFrom("\n", "\r\n"), async (texts, newline) => {
        const expected = texts.filter((text) => !/^[ \t\r]*$/.test(text));
        const read = await readAll(ndjsonBatches(inChunks(utf8(texts.join(newline)), [])));
        const startsWithMark = expected[0]?.startsWith("\ufeff") === true && texts[0] === expected[0];
        fc.pre(!startsWithMark);
        expect(read.map(({ payload }) => payload)).toEqual(expected);
        for (const { event, fault, payload } of read) {
          if (fault !== null) expect(() => JSON.parse(payload)).toThrow();
          else expect(canonicalJson(event)).toBe(canonicalJson(parseExactJson(payload)));
        }
      }),
    );
  });

  it("gives the same events however it is cut into chunks, compressed or not, UTF-8 or not", async () => {
    const bytes = fc
      .tuple(lines, fc.constantFrom("\n", "\r\n"), fc.option(fc.nat(), { nil: null }))
      .map(([texts, newline, broken]) => {
        const body = utf8(texts.join(newline));
        if (broken !== null && body.length > 0) body[broken % body.length] = 0xff;
        return body;
      });
    await fc.assert(
      fc.asyncProperty(bytes, chunkSizes, async (body, sizes) => {
        const whole = await readAll(ndjsonBatches(inChunks(body, [])));
        expect(await readAll(ndjsonBatches(inChunks(body, sizes)))).toEqual(whole);
        const compressed = inChunks(gzipSync(body), sizes);
        expect(await readAll(ndjsonBatches(gunzip(compressed, 1_000_000)))).toEqual(whole);
      }),
    );
  });
});

describe("an Avro datum", () => {
  const topics = ["orders", "weather", "clickstream", "payments"].map((topic) => {
    const contract = contractOf(topic);
    const codec = codecById(contract?.schemas.at(-1)?.id ?? 0);
    if (contract === undefined || codec === undefined) throw new Error(`no topic ${topic}`);
    return { topic, codec, plan: compilePlan(contract, codec.schema), decode: createDatumDecoder(codec.schema) };
  });

  for (const { topic, codec, plan, decode } of topics) {
    it(`of ${topic} that avsc wrote is read as avsc reads it`, () => {
      fc.assert(
        fc.property(arbitraryEvent(plan, 1_795_262_400_000_000), fc.nat(5), (text, before) => {
          const event: unknown = JSON.parse(text);
          fc.pre(codec.type.isValid(event));
          const datum = codec.type.toBuffer(event);
          const bytes = Buffer.concat([Buffer.alloc(before, 0x7f), datum, Buffer.from([1])]);
          const decoded = decode(bytes, before);
          expect(decoded).toMatchObject({ end: before + datum.length, fault: null, isJson: true });
          const expected: unknown = JSON.parse(
            JSON.stringify(codec.type.fromBuffer(datum)),
            (_key, value) => value ?? undefined,
          );
          expect(JSON.parse(JSON.stringify(decoded.event))).toEqual(expected);
        }),
      );
    });

    it(`of ${topic} that is cut or altered anywhere ends in a value, a fault or a RangeError`, () => {
      fc.assert(
        fc.property(
          arbitraryEvent(plan, 1_795_262_400_000_000),
          fc.nat(),
          fc.nat(255),
          fc.boolean(),
          (text, where, byte, cut) => {
            const event: unknown = JSON.parse(text);
            fc.pre(codec.type.isValid(event));
            const datum = codec.type.toBuffer(event);
            const at = where % datum.length;
            const bytes = cut ? datum.subarray(0, at) : Buffer.from(datum);
            if (!cut) bytes[at] = byte;
            try {
              expect(decode(bytes, 0).end).toBeLessThanOrEqual(bytes.length);
            } catch (error) {
              expect(error).toBeInstanceOf(RangeError);
            }
          },
        ),
      );
    });
  }
});
