/** Messages and frames: what goes in comes out; damaged bytes are refused by one error, never by another, never half read. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  decodeMessage,
  encodeFrame,
  encodeFrames,
  encodeMessage,
  type MessageHeader,
  PackedBlockError,
  readFrames,
  replaysOf,
} from "../../schemas/packed-block.ts";
import { longOrShare } from "../long-share.ts";
import { expectEqual } from "../oracle/expect-equal.ts";
import { uuidAt } from "../oracle/frames.ts";
import { headerByAvsc } from "../oracle/message-header-type.ts";

const text = fc.string({ unit: "grapheme", maxLength: 12 });
/** As large as avsc encodes. */
const safeLong = fc.nat(2 ** 31 - 1).chain((low) => fc.constantFrom(low, low * 2 ** 21, 2 ** 53 - 2));
const slice = fc.record({
  bytes: fc.uint8Array({ minLength: 1, maxLength: 30 }),
  count: fc.integer({ min: 1, max: 1_000 }),
  tally: fc.dictionary(text, fc.integer({ min: 0, max: 1_000 }), { maxKeys: 3, noNullPrototype: true }),
});
const message = fc
  .record({
    ms: fc.integer({ min: 0, max: 2 ** 47 }),
    n: fc.nat(),
    topic: text,
    schema: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
    producer: text,
    received: safeLong,
    sequence: safeLong,
    slices: fc.array(slice, { maxLength: 4 }),
    unsent: fc.array(fc.tuple(safeLong, safeLong), { maxLength: 3 }),
    isReplay: fc.boolean(),
  })
  .map(({ isReplay, ...parts }) => {
    const { ms, n, topic, schema, producer, received, sequence, unsent } = parts;
    // An id for each event: few, since damage is tried at every byte.
    const slices = isReplay ? parts.slices.map((one) => ({ ...one, count: (one.count % 3) + 1 })) : parts.slices;
    let offset = 0;
    const told = unsent.flatMap(([a, b]) => {
      const range = [Math.min(a, b), Math.max(a, b)] as const;
      return range[0] >= 1 && range[1] < sequence ? [range] : [];
    });
    const header: MessageHeader = {
      message_id: uuidAt(ms, n),
      topic,
      schema_id: schema,
      contract_version: "1.0.0",
      producer,
      request_id: "r",
      received,
      gateway: "g",
      sequence,
      count: slices.reduce((sum, { count }) => sum + count, 0),
      slices: slices.map(({ bytes, count, tally }, shard) => {
        const one = { shard, of: 4, offset, length: bytes.byteLength, count, tally };
        offset += bytes.byteLength;
        return one;
      }),
      ...(told.length === 0 ? {} : { unsent: told }),
    };
    if (isReplay) Object.assign(header, { replay_of: Array.from({ length: header.count }, (_, i) => `dlq-${i}`) });
    return { header, bodies: slices.map(({ bytes }) => bytes) };
  });

function framesOf(bytes: Uint8Array): Uint8Array[] {
  const decoded = decodeMessage(bytes);
  return decoded.header.slices.map((_, number) => encodeFrame(decoded, number));
}

/** The result, or undefined if it was refused in the one way that callers expect. */
function unlessRefused<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    expect(error).toBeInstanceOf(PackedBlockError);
    return undefined;
  }
}

describe("packed blocks", () => {
  test("a message gives back its header, its slices, and frames that concatenate", () => {
    fc.assert(
      fc.property(message, ({ header, bodies }) => {
        const bytes = encodeMessage(header, bodies);
        expectEqual(decodeMessage(bytes).header, header);
        const frames = [...readFrames(Buffer.concat(framesOf(bytes)))];
        expectEqual(
          frames.map((frame) => Buffer.from(frame.events)),
          bodies.map((body) => Buffer.from(body)),
        );
        expectEqual(
          frames.map((frame) => frame.slice),
          header.slices,
        );
        for (const frame of frames) expectEqual(frame.header, header);
        const replays = frames.flatMap((frame) => replaysOf(frame.header, frame.slice) ?? []);
        expectEqual(replays, header.replay_of ?? []);
      }),
    );
  });

  test("a header is the Avro that avsc writes", () => {
    fc.assert(
      fc.property(message, ({ header, bodies }) => {
        const { headerBytes } = decodeMessage(encodeMessage(header, bodies));
        expectEqual(Buffer.compare(headerBytes, headerByAvsc(header)), 0);
      }),
    );
  });

  test("every truncation and every addition is refused", () => {
    fc.assert(
      fc.property(message, ({ header, bodies }) => {
        const bytes = encodeMessage(header, bodies);
        for (let length = 0; length < bytes.byteLength; length++)
          expect(() => decodeMessage(bytes.subarray(0, length))).toThrow(PackedBlockError);
        expect(() => decodeMessage(Buffer.concat([bytes, Buffer.of(0)]))).toThrow(PackedBlockError);
        const frames = Buffer.concat(framesOf(bytes));
        const boundaries = new Set<number>([0]);
        let end = 0;
        for (const frame of readFrames(frames)) {
          end += frame.bytes.byteLength;
          boundaries.add(end);
        }
        for (let length = 0; length < frames.byteLength; length++) {
          const read = unlessRefused(() => [...readFrames(frames.subarray(0, length))]);
          expectEqual(read !== undefined, boundaries.has(length));
        }
      }),
      { numRuns: longOrShare(50, 15) },
    );
  });

  test("a changed byte is refused, or gives a message whose slices are whole; never another error", () => {
    fc.assert(
      fc.property(message, fc.integer({ min: 1, max: 255 }), ({ header, bodies }, flip) => {
        const bytes = encodeMessage(header, bodies);
        for (let at = 0; at < bytes.byteLength; at++) {
          const damaged = Uint8Array.from(bytes);
          damaged[at] = (damaged[at] ?? 0) ^ flip;
          const decoded = unlessRefused(() => decodeMessage(damaged));
          if (decoded === undefined) continue;
          const { slices, count } = decoded.header;
          expectEqual(
            slices.reduce((sum, one) => sum + one.count, 0),
            count,
          );
          expectEqual(
            slices.reduce((sum, one) => sum + one.length, 0),
            decoded.body.byteLength,
          );
          // What the consumer does with it next must not fail either.
          const frames = [...readFrames(Buffer.concat(framesOf(damaged)))];
          expectEqual(Buffer.concat(frames.map((frame) => frame.events)), Buffer.from(decoded.body));
        }
      }),
      { numRuns: longOrShare(50, 15) },
    );
  });

  test("frames of several messages made at once are those made one by one", () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 4 }), (messages) => {
        const encoded = messages.map(({ header, bodies }) => encodeMessage(header, bodies));
        const slices = encoded
          .map(decodeMessage)
          .flatMap((decoded) => decoded.header.slices.map((_, number) => ({ message: decoded, number })));
        expect(Buffer.from(encodeFrames(slices))).toEqual(Buffer.concat(encoded.flatMap(framesOf)));
      }),
      { numRuns: longOrShare(50, 15) },
    );
  });

  test("a changed byte of frames is refused, or read without another error", () => {
    fc.assert(
      fc.property(message, fc.integer({ min: 1, max: 255 }), ({ header, bodies }, flip) => {
        const frames = Buffer.concat(framesOf(encodeMessage(header, bodies)));
        for (let at = 0; at < frames.byteLength; at++) {
          const damaged = Uint8Array.from(frames);
          damaged[at] = (damaged[at] ?? 0) ^ flip;
          unlessRefused(() => [...readFrames(damaged)]);
        }
      }),
      { numRuns: longOrShare(30, 12) },
    );
  });

  test("headers that a buffer could not keep its promises for are refused", () => {
    const base: MessageHeader = {
      message_id: uuidAt(0, 1),
      topic: "t",
      schema_id: 1,
      contract_version: "1",
      producer: "p",
      request_id: "r",
      received: 0,
      gateway: "g",
      sequence: 0,
      count: 2,
      slices: [
        { shard: 0, of: 2, offset: 0, length: 1, count: 1, tally: {} },
        { shard: 1, of: 2, offset: 1, length: 1, count: 1, tally: {} },
      ],
    };
    const bodies = [Uint8Array.of(1), Uint8Array.of(2)];
    const [first, second] = base.slices;
    if (first === undefined || second === undefined) throw new Error("two slices");
    const refused: [string, MessageHeader][] = [
      ["not a UUID", { ...base, message_id: "message-1" }],
      ["not a UUID", { ...base, message_id: uuidAt(0, 0xabc).toUpperCase() }],
      ["twice", { ...base, slices: [first, { ...second, shard: 0 }] }],
      ["no such shard", { ...base, slices: [first, { ...second, shard: 2 }] }],
      ["no such shard", { ...base, slices: [{ ...first, shard: -1 }, second] }],
      ["at 0, not at 1", { ...base, slices: [first, { ...second, offset: 0 }] }],
      ["0 events", { ...base, slices: [first, { ...second, count: 0 }] }],
      ["says 3 events", { ...base, count: 3 }],
      ["carries 2", { ...base, slices: [first, { ...second, length: 2 }] }],
    ];
    for (const [why, header] of refused) expect(() => decodeMessage(encodeMessage(header, bodies))).toThrow(why);
    expect(decodeMessage(encodeMessage(base, bodies)).header).toEqual(base);
  });
});
