import { describe, expect, test } from "vitest";
import type { AppendResult, ShardAddress, TopicBufferNamespace } from "../../../durable-objects/stubs.ts";
import { ingest } from "../../../queue-consumers/ingest.ts";
import { decodeMessage, encodeMessage, readFrames } from "../../../schemas/packed-block.ts";
import { uuidAt } from "../../oracle/frames.ts";
import { MemoryBucket } from "../../oracle/memory-bucket.ts";
import { batchOf } from "./batch.ts";

/** A message of one event for each of these shards; a slice's only byte is its shard. */
function message(n: number, shards: readonly number[], topic = "orders"): Uint8Array {
  return encodeMessage(
    {
      message_id: uuidAt(1_000, n),
      topic,
      schema_id: 1,
      contract_version: "1.0.0",
      producer: "p",
      request_id: "r",
      received: 0,
      gateway: "g",
      sequence: n,
      count: shards.length,
      slices: shards.map((shard, offset) => ({ shard, of: 8, offset, length: 1, count: 1, tally: {} })),
    },
    shards.map((shard) => Uint8Array.of(shard)),
  );
}

/** Buffers that append what they are given; `answer` may throw, or say that messages are too old. */
function platform(
  answer: (address: ShardAddress, ids: readonly string[]) => Promise<AppendResult> | undefined = () => undefined,
) {
  const appended: { shard: string; ids: string[] }[] = [];
  const namespace: TopicBufferNamespace<string> = {
    idFromName: (name) => name,
    get: (name) => ({
      append: async (address, bytes) => {
        expect(name).toBe(`${address.topic}/${address.shard}/${address.of}`);
        const frames = [...readFrames(bytes)];
        for (const frame of frames) expect([...frame.events]).toEqual([address.shard]);
        const ids = frames.map((frame) => frame.header.message_id);
        const other = await answer(address, ids);
        if (other !== undefined) return other;
        appended.push({ shard: name, ids });
        return { stored: ids, tooOld: [], refused: [] };
      },
      flush: () => Promise.reject(new Error("not asked here")),
      unflushed: async () => ({ events: 0, oldestAppended: null }),
      poke: async () => ({ rows: 0, bytes: 0, oldestAt: null }),
      retire: async () => false,
    }),
  };
  const bucket = new MemoryBucket();
  const logs: Readonly<Record<string, unknown>>[] = [];
  let acknowledged = 0;
  const deps = {
    buffers: namespace,
    bucket,
    countAcknowledged: (messages: number) => {
      acknowledged += messages;
    },
    log: (event: Readonly<Record<string, unknown>>) => void logs.push(event),
  };
  return { deps, bucket, appended, logs, acknowledged: () => acknowledged };
}

const QUEUE = "sluice-local-orders";

describe("ingest", () => {
  test("cuts by shard, one append each, and acknowledges what is durable", async () => {
    const { deps, appended, acknowledged } = platform();
    const { batch, said } = batchOf(QUEUE, [message(1, [0, 3]), message(2, [3]), message(3, [5])]);
    await ingest(batch, deps);
    expect(appended.sort((a, b) => a.shard.localeCompare(b.shard))).toEqual([
      { shard: "orders/0/8", ids: [uuidAt(1_000, 1)] },
      { shard: "orders/3/8", ids: [uuidAt(1_000, 1), uuidAt(1_000, 2)] },
      { shard: "orders/5/8", ids: [uuidAt(1_000, 3)] },
    ]);
    expect(said()).toEqual(["ack", "ack", "ack"]);
    expect(acknowledged()).toBe(3);
  });

  test("a body may be a view, a buffer or something else; only messages of ours are appended", async () => {
    const { deps, bucket } = platform();
    const good = message(1, [0]);
    const padded = Buffer.concat([Buffer.of(9), good]);
    const cycle: Record<string, unknown> = {};
    cycle["self"] = cycle;
    const bodies = [
      new Uint8Array(padded.buffer, padded.byteOffset + 1, good.byteLength),
      good.slice().buffer,
      new DataView(good.slice().buffer),
    ];
    const others = ["text", { json: 1 }, null, undefined, 1n, { n: 1n }, cycle, new Uint8Array()];
    const { batch, said } = batchOf(QUEUE, [...bodies, ...others]);
    await ingest(batch, deps);
    expect(said()).toEqual([...bodies, ...others].map(() => "ack"));
    expect(bucket.objects.size).toBe(others.length);
  });

  test("a poisoned message is parked byte for byte, and its batch is stored", async () => {
    const { deps, bucket, appended, acknowledged } = platform();
    const poison = message(2, [1, 1]); // Two slices for one shard.
    const { batch, said } = batchOf(QUEUE, [message(1, [0]), poison, message(3, [1]), Uint8Array.of(1, 2, 3)], 4);
    await ingest(batch, deps);
    expect(appended.map(({ shard }) => shard).sort()).toEqual(["orders/0/8", "orders/1/8"]);
    expect(said()).toEqual(["ack", "ack", "ack", "ack"]);
    expect(acknowledged()).toBe(4);
    expect([...bucket.objects.keys()].sort()).toEqual([`parked/${QUEUE}/queue-id-1`, `parked/${QUEUE}/queue-id-3`]);
    expect(bucket.bytesOf(`parked/${QUEUE}/queue-id-1`)).toEqual(poison);
    expect(bucket.objects.get(`parked/${QUEUE}/queue-id-1`)?.customMetadata).toMatchObject({
      cause: "data",
      attempts: "4",
    });
  });

  test("a poisoned message that R2 does not take is retried, never dropped", async () => {
    const { deps, bucket } = platform();
    bucket.failures.push(new Error("R2 is down"));
    const { batch, said } = batchOf(QUEUE, [Uint8Array.of(0), message(1, [0])], 3);
    await ingest(batch, deps);
    expect(said()).toEqual([{ retry: 40 }, "ack"]);
  });

  test("a shard that fails retries exactly the messages that touch it", async () => {
    const { deps, appended, acknowledged, logs } = platform((address) =>
      address.shard === 3 ? Promise.reject(new Error("the object was reset")) : undefined,
    );
    const { batch, said } = batchOf(QUEUE, [message(1, [0]), message(2, [0, 3]), message(3, [3]), message(4, [5])], 2);
    await ingest(batch, deps);
    expect(said()).toEqual(["ack", { retry: 20 }, { retry: 20 }, "ack"]);
    expect(acknowledged()).toBe(2);
    expect(appended.map(({ shard }) => shard).sort()).toEqual(["orders/0/8", "orders/5/8"]);
    expect(logs).toHaveLength(1);
  });

  test("an address that cannot even be named retries its messages", async () => {
    const { deps } = platform();
    const broken = {
      ...deps,
      buffers: {
        ...deps.buffers,
        idFromName: () => {
          throw new Error("no namespace");
        },
      },
    };
    const { batch, said } = batchOf(QUEUE, [message(1, [0])]);
    await ingest(batch, broken);
    expect(said()).toEqual([{ retry: 10 }]);
  });

  test("a message older than the memory of ids is parked whole; its neighbours in the append are stored", async () => {
    const old = uuidAt(1_000, 2);
    const { deps, bucket } = platform(async (_address, ids) => ({
      stored: ids.filter((id) => id !== old),
      tooOld: ids.filter((id) => id === old),
      refused: [],
    }));
    const { batch, said } = batchOf(QUEUE, [message(1, [0]), message(2, [0, 1])]);
    await ingest(batch, deps);
    expect(said()).toEqual(["ack", "ack"]);
    expect(decodeMessage(bucket.bytesOf(`parked/${QUEUE}/queue-id-1`)).header.message_id).toBe(old);
  });

  test.each([
    ["the failure first", 0],
    ["the failure last", 5],
  ])("too old in one shard and failed in another is retried: %s", async (_name, ticks) => {
    const { deps, bucket } = platform(async (address, ids) => {
      for (let i = 0; i < (address.shard === 1 ? ticks : 2); i++) await Promise.resolve();
      if (address.shard === 1) throw new Error("the object was reset");
      return { stored: [], tooOld: ids, refused: [] };
    });
    const { batch, said } = batchOf(QUEUE, [message(1, [0, 1])]);
    await ingest(batch, deps);
    expect(said()).toEqual([{ retry: 10 }]);
    expect(bucket.objects.size).toBe(0);
  });

  test("a shard that is far behind postpones its new messages; known ones are acknowledged, and nothing is parked", async () => {
    const known = uuidAt(1_000, 1);
    const { deps, bucket, acknowledged, logs } = platform(async (address, ids) => {
      if (address.shard === 1) return { stored: [], tooOld: ids, refused: [] };
      return { stored: ids.filter((id) => id === known), tooOld: [], refused: ids.filter((id) => id !== known) };
    });
    const { batch, said } = batchOf(QUEUE, [message(1, [0]), message(2, [0]), message(3, [0, 1])], 3);
    await ingest(batch, deps);
    expect(said()).toEqual(["ack", { retry: 40 }, { retry: 40 }]);
    expect(acknowledged()).toBe(1);
    expect(bucket.objects.size).toBe(0);
    expect(logs).toEqual([expect.objectContaining({ postponed: 2, parked: 0 })]);
  });
});
