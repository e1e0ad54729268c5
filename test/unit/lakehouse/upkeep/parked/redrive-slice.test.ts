import { beforeEach, describe, expect, test } from "vitest";
import { describeParked } from "../../../../../lakehouse/upkeep/parked/describe.ts";
import { frameFault } from "../../../../../lakehouse/upkeep/parked/frame-fault.ts";
import { listParked, metadataOf, parkedQueues } from "../../../../../lakehouse/upkeep/parked/parked-message.ts";
import { type RedriveDeps, redrive } from "../../../../../lakehouse/upkeep/parked/redrive.ts";
import { decodeMessage } from "../../../../../schemas/packed-block.ts";
import { parkedSliceKey, registerParkedSlice } from "../../../../../sql/statements/parked-slices.ts";
import { framesOf, makeMessage, uuidAt } from "../../../../oracle/frames.ts";
import { Lake } from "../../../../oracle/lake.ts";
import { permit } from "../../../../oracle/permit.ts";
import { order } from "../../../gateway/harness.ts";

const NOW = Date.parse("2026-11-21T12:00:00Z");
const HOUR = "2026-11-21T12:00:00Z";

let lake: Lake;
let sent: Uint8Array[];
let deps: RedriveDeps;
beforeEach(() => {
  lake = new Lake(NOW);
  sent = [];
  deps = {
    db: lake.d1.binding,
    bucket: lake.bucket,
    send: async (_topic, message) => void sent.push(message),
    remembers: () => true,
    hasUnflushed: async () => false,
    frameFault,
    newMessageId: () => uuidAt(NOW, 7),
    permit: () => permit,
  };
});

/** Orders that fall on both shards of their topic. */
const events = Array.from({ length: 8 }, (_, i) => ({
  event: order(`e-${i}`, { event_timestamp: HOUR, order_id: `ord_${i}` }),
  extra: null,
  lexical: null,
}));
const message = makeMessage({ topic: "orders", messageId: uuidAt(NOW, 1), received: NOW * 1_000, events });
const [, frame] = framesOf(message);
if (frame === undefined) throw new Error("the message has one slice");

/** As a flush does: the object, then its row. */
async function setAside(bytes: Uint8Array = frame?.bytes ?? new Uint8Array(), registered = true): Promise<string> {
  const { header, slice } = frame ?? { header: { message_id: "" }, slice: { shard: 0, of: 0, count: 0 } };
  const shard = { topic: "orders", shard: slice.shard, shardOf: slice.of };
  const parked = { messageId: header.message_id, hour: HOUR, events: slice.count, cause: "data" as const, detail: "d" };
  const key = parkedSliceKey(shard, parked);
  const contents = { topic: "orders", message: parked.messageId, events: parked.events, received: HOUR };
  const customMetadata = metadataOf({ cause: "data", detail: "d", attempts: 0, sent: "", contents });
  await lake.bucket.put(key, bytes, { customMetadata });
  if (registered) await registerParkedSlice(deps.db, shard, { ...parked, bytes: bytes.byteLength }, HOUR).run();
  return key;
}

const rows = () => lake.d1.rows<{ redriven_at: string | null }>("SELECT redriven_at FROM parked_slices");

describe("a slice that was set aside", () => {
  test("goes on as a message of its own, under another id, and is marked", async () => {
    const key = await setAside();
    expect(await redrive(key, deps)).toEqual({ kind: "sent", messageId: uuidAt(NOW, 7), events: frame.slice.count });
    const [bytes = new Uint8Array()] = sent;
    const { header, body } = decodeMessage(bytes);
    const own = { message_id: uuidAt(NOW, 7), sequence: 1, count: frame.slice.count };
    expect(header).toEqual({
      ...frame.header,
      ...own,
      gateway: `set-aside/${uuidAt(NOW, 1)}-${frame.slice.shard}-2`,
      slices: [{ ...frame.slice, offset: 0 }],
    });
    expect(Buffer.from(body)).toEqual(Buffer.from(frame.events));
    expect(rows()).toEqual([{ redriven_at: new Date(NOW).toISOString() }]);
    expect(await redrive(key, deps)).toEqual({ kind: "not_found" });
  });

  test("stays with the reason while this deploy cannot decode it, and with bytes that are no slice", async () => {
    const bad = frame.bytes.slice().fill(0xff, -40);
    const key = await setAside(bad);
    const kept = { kind: "kept", detail: expect.stringMatching(/events of schema \d+: they do not decode/) };
    expect(await redrive(key, deps)).toMatchObject(kept);
    expect(await describeParked(lake.bucket, key, frameFault)).toMatchObject({
      parked: { kind: "slice", queue: "slices/orders", contents: { events: frame.slice.count } },
      header: { message_id: uuidAt(NOW, 1) },
      slices: [frame.slice],
      problem: kept.detail,
    });
    await setAside(Uint8Array.of(1, 2, 3));
    expect(await redrive(key, deps)).toMatchObject({ kind: "kept", detail: expect.stringContaining("cut short") });
    expect(await describeParked(lake.bucket, key, frameFault)).toMatchObject({ header: null, slices: [] });
    expect([sent, rows()]).toEqual([[], [{ redriven_at: null }]]);
  });

  test("waits for its flush's registration; an object that comes after it was sent on is only left over", async () => {
    const key = await setAside(frame.bytes, false);
    expect(await redrive(key, deps)).toMatchObject({ kind: "postponed" });
    await setAside();
    expect(await redrive(key, deps)).toMatchObject({ kind: "sent" });
    // A put that was late.
    await setAside();
    expect(await redrive(key, deps)).toMatchObject({
      kind: "discarded",
      detail: expect.stringContaining("sent on at"),
    });
    expect(sent).toHaveLength(1);
    expect(lake.bucket.objects.has(key)).toBe(false);
  });

  test("stands beside parked messages, and in no queue's name", async () => {
    const key = await setAside();
    for (const queue of [undefined, "slices", "slices/orders"]) {
      expect((await listParked(lake.bucket, { queue, limit: 10 })).messages).toMatchObject([{ key, kind: "slice" }]);
    }
    expect((await listParked(lake.bucket, { queue: "slices/weather", limit: 10 })).messages).toEqual([]);
    expect(await parkedQueues(lake.bucket)).toEqual([]);
  });
});
