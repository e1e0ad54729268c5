import { describe, expect, it } from "vitest";
import { type PackedEvent, packMessage, planMessages } from "../../../schemas/pack.ts";
import { decodeMessage, MESSAGE_TARGET_BYTES } from "../../../schemas/packed-block.ts";
import { expectEqual } from "../../oracle/expect-equal.ts";

const HEADER = {
  message_id: "019aa000-0000-7000-8000-000000000000",
  topic: "orders",
  schema_id: 100001,
  contract_version: "1.0.0",
  producer: "päckchen",
  request_id: "r".repeat(36),
  received: 1_795_262_400_000_000,
  gateway: "g".repeat(36),
  sequence: 2 ** 40,
};
const TEXT_BYTES = 36 * 3 + 6 + 5 + 9;

function eventsOf(sizes: readonly number[], shards: number, labels = 0): PackedEvent[] {
  let start = 0;
  return sizes.map((size, index) => {
    const event = { index, shard: (index * 7) % shards, start, end: start + size };
    start += size;
    return { ...event, label: labels === 0 ? null : `orders|${"X".repeat(30)}${index % labels}` };
  });
}

describe("packing", () => {
  it("keeps messages below the target, every event once and in order inside its shard", () => {
    const sizes = Array.from({ length: 3_000 }, (_, index) => 1 + ((index * 7_919) % 700));
    for (const shards of [1, 4, 256]) {
      for (const labels of [0, 40]) {
        const events = eventsOf(sizes, shards, labels);
        const buffer = Uint8Array.from({ length: events.at(-1)?.end ?? 0 }, (_, at) => (at * 31) % 251);
        const plans = planMessages(events, TEXT_BYTES);
        expectEqual(plans.flat(), events);
        for (const plan of plans) {
          const message = packMessage(plan, shards, HEADER, (start, end) => buffer.subarray(start, end));
          expect(message.byteLength).toBeLessThanOrEqual(MESSAGE_TARGET_BYTES);
          const { header, body } = decodeMessage(message);
          expect(header).toMatchObject({ ...HEADER, count: plan.length });
          for (const slice of header.slices) {
            const own = plan.filter(({ shard }) => shard === slice.shard);
            const bytes = Buffer.concat(own.map(({ start, end }) => buffer.subarray(start, end)));
            expectEqual(Buffer.compare(bytes, body.subarray(slice.offset, slice.offset + slice.length)), 0);
            const counted = Object.values(slice.tally).reduce((sum, count) => sum + count, 0);
            expectEqual([slice.count, counted], [own.length, labels === 0 ? 0 : own.length]);
          }
        }
      }
    }
  });

  it("wastes little, and sends an event past the target alone", () => {
    const plans = planMessages(eventsOf(new Array(600).fill(1_000), 1), TEXT_BYTES);
    expect(plans.length).toBe(Math.ceil(600 / 59));
    expect(planMessages(eventsOf([10, 100_000, 10], 1), TEXT_BYTES).map((plan) => plan.length)).toEqual([1, 1, 1]);
    expect(planMessages([], TEXT_BYTES)).toEqual([]);
  });
});
