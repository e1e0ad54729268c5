/**
 * A slice with any bytes: either it is at fault, and says so without a value of an event, or it can be written. So whatever a buffer
 * holds, setting aside what is at fault lets its flush go on.
 */

import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { contracts } from "../../contracts/registry.ts";
import { sliceFault } from "../../lakehouse/bronze/slice-fault.ts";
import { BronzeInputError, writeBronze } from "../../lakehouse/bronze/write.ts";
import { decodeMessage, encodeFrame, encodeMessage, type Frame, readFrames } from "../../schemas/packed-block.ts";
import { loadParquetWasm } from "../../tools/build/parquet-wasm-node.ts";
import { longOrShare } from "../long-share.ts";
import { uuidAt } from "../oracle/frames.ts";
import { MemoryBucket } from "../oracle/memory-bucket.ts";
import { permit } from "../oracle/permit.ts";
import { weather, weatherMessage } from "../oracle/weather.ts";

const AT = Date.UTC(2026, 10, 21, 12) * 1_000;
const FLUSH = { topic: "weather", shard: 0, shardOf: 1, incarnation: "i", seq: 1 };

/** Bytes that are overwritten, anywhere, a few more often with what a varint or a length takes badly. */
const damage = fc.array(
  fc.record({ at: fc.nat(1_000_000), value: fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.nat(255)) }),
  { maxLength: 6 },
);

function damaged(events: number, changes: readonly { readonly at: number; readonly value: number }[]): Frame {
  const message = weatherMessage({
    messageId: uuidAt(AT / 1_000, 1),
    received: AT,
    events: Array.from({ length: events }, (_, n) => ({ eventId: `e-${n}`, at: AT })),
  });
  const { body } = decodeMessage(message);
  for (const { at, value } of changes) body[at % body.byteLength] = value;
  const [frame] = readFrames(encodeFrame(decodeMessage(message), 0));
  if (frame === undefined) throw new Error("no frame");
  return frame;
}

const blockOf = (frame: Frame) => ({ count: 1, read: () => frame.bytes });

beforeAll(() => loadParquetWasm());

test("what is not at fault can be written, whatever its bytes", async () => {
  const seen = { faulty: 0, written: 0 };
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 4 }), damage, async (events, changes) => {
      const frame = damaged(events, changes);
      const fault = sliceFault(weather, frame);
      if (fault !== null) {
        seen.faulty++;
        expect(fault).toMatch(/^\d+ bytes, \d events of schema \d+: /);
        expect(fault).not.toContain("Malm");
        // Else nobody would have asked.
        await expect(
          writeBronze({ bucket: new MemoryBucket(), permit }, weather, FLUSH, blockOf(frame)),
        ).rejects.toThrow(BronzeInputError);
        return;
      }
      seen.written++;
      const files = await writeBronze({ bucket: new MemoryBucket(), permit }, weather, FLUSH, blockOf(frame));
      expect(files.reduce((sum, { rows }) => sum + rows, 0)).toBe(events);
    }),
    { numRuns: longOrShare(1_500, 300) },
  );
  expect(seen.faulty).toBeGreaterThan(longOrShare(100, 20));
  expect(seen.written).toBeGreaterThan(longOrShare(100, 20));
});

test("every topic's contract takes garbage for what it is", () => {
  const garbage = (topic: string, schemaId: number): Frame => {
    const header = { ...damaged(1, []).header, topic, schema_id: schemaId };
    const slice = { shard: 0, of: 1, offset: 0, length: 64, count: 1, tally: {} };
    const message = encodeMessage({ ...header, count: 1, slices: [slice] }, [new Uint8Array(64).fill(0xff)]);
    const [frame] = readFrames(encodeFrame(decodeMessage(message), 0));
    if (frame === undefined) throw new Error("no frame");
    return frame;
  };
  for (const contract of contracts) {
    const [schema] = contract.schemas;
    expect(sliceFault(contract, garbage(contract.topic, schema?.id ?? 0))).toContain("do not decode");
  }
  expect(() => sliceFault(weather, garbage("weather", 1))).toThrow("not compiled into this deploy");
});
