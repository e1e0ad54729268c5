/**
 * The contract's shard count changes while messages are under way: each message says which count it was packed for, so that old
 * ones drain into the old objects. Nothing is lost or doubled, sequence numbers follow the order of appends, and shards of old
 * counts are retired once nothing can come to them.
 */

import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import type { ShardAddress, TopicBufferNamespace } from "../../durable-objects/stubs.ts";
import { rowAt } from "../../lakehouse/engine/columns/value.ts";
import { bytesSource, readParquet } from "../../lakehouse/engine/parquet/reader.ts";
import { watchdog } from "../../scheduled/watchdog/watchdog.ts";
import { decodeMessage, encodeFrame } from "../../schemas/packed-block.ts";
import { loadParquetWasm } from "../../tools/build/parquet-wasm-node.ts";
import { longOrShare } from "../long-share.ts";
import { uuidAt } from "../oracle/frames.ts";
import { permit } from "../oracle/permit.ts";
import { weather, weatherMessage } from "../oracle/weather.ts";
import { type IoFault, Shard } from "./topic-buffer/shard.ts";
import { SharedLake } from "./topic-buffer/shared-lake.ts";

const START = Date.UTC(2026, 10, 21, 12);
const DAY = 24 * 3_600_000;

interface Message {
  readonly id: string;
  readonly of: number;
  readonly events: number;
  readonly bytes: Uint8Array;
}

/** Two or three deploys, each with another count. Event ids are few, so that one is sent before and after a change. */
const deploys = fc
  .tuple(
    fc.uniqueArray(fc.constantFrom(1, 2, 4), { minLength: 2, maxLength: 3 }),
    fc.array(fc.array(fc.nat(9), { minLength: 1, maxLength: 5 }), { minLength: 2, maxLength: 10 }),
  )
  .map(([counts, specs]) => {
    const messages = specs.map((events, n): Message => {
      const of = counts[Math.floor((n * counts.length) / specs.length)] ?? 1;
      const received = (START + n) * 1_000;
      const made = events.map((event) => ({ eventId: `e-${event}`, at: received }));
      const id = uuidAt(START, n);
      const bytes = weatherMessage({ messageId: id, received, events: made, shards: of });
      return { id, of, events: events.length, bytes };
    });
    return { counts, messages };
  });

const fault = fc.constantFrom<IoFault>(
  "ok",
  "ok",
  "ok",
  "before",
  "after",
  "crashBefore",
  "crashAfter",
  "slow",
  "late",
);
const op = fc.record({
  do: fc.constantFrom("deliver" as const, "deliver", "ring", "crash", "loseAlarm", "advance"),
  which: fc.nat(99),
  io: fc.array(fault, { maxLength: 3 }),
});

const nameOf = ({ shard, of }: ShardAddress) => `weather/${shard}/${of}`;

class Topic {
  readonly lake = new SharedLake(START);
  readonly shards = new Map<string, Shard>();

  shard(address: ShardAddress): Shard {
    const name = nameOf(address);
    const shard = this.shards.get(name) ?? new Shard(START, address, this.lake);
    this.shards.set(name, shard);
    return shard;
  }

  /** The consumer: each slice goes where it says; whether all of them are durable. */
  async deliver(bytes: Uint8Array, io: readonly IoFault[] = []): Promise<boolean> {
    const message = decodeMessage(bytes);
    let durable = true;
    for (const [number, slice] of message.header.slices.entries()) {
      const shard = this.shard({ topic: "weather", shard: slice.shard, of: slice.of });
      shard.inject(io);
      const result = await shard.append(encodeFrame(message, number));
      shard.inject([]);
      durable &&= result?.stored.includes(message.header.message_id) === true;
    }
    return durable;
  }

  async drain(): Promise<void> {
    for (const shard of this.shards.values()) await shard.drain();
  }

  async tick(shards: number): Promise<Readonly<Record<string, unknown>>> {
    const buffers: TopicBufferNamespace<string> = {
      idFromName: (name) => name,
      get: () => ({
        append: () => Promise.reject(new Error("the watchdog appends nothing")),
        poke: async (address) => this.shard(address).poke(),
        retire: async (address) => this.shard(address).retire(),
        unflushed: async () => ({ events: 0, oldestAppended: null }),
        flush: async () => ({ events: 0, oldestAppended: null }),
      }),
    };
    const duty = watchdog({
      db: this.lake.d1.binding,
      buffers,
      contractOf: () => ({ ...weather, shards }),
      flushAgeSeconds: "0",
      pressure: { bytes: 1e9, ageMs: 1e12 },
      log: () => {},
    });
    return duty.run(this.lake.now, null);
  }
}

interface FileRow {
  readonly file: string;
  readonly shard: number;
  readonly shard_of: number;
  readonly seq: number;
}

/** How often each event of a message is in bronze, and the message ids of each shard in the order of its files. */
async function readBronze(topic: Topic) {
  const copies = new Map<string, number>();
  const order = new Map<string, string[]>();
  const files = topic.lake.d1.rows<FileRow>(
    "SELECT file, shard, shard_of, seq FROM bronze_files ORDER BY shard_of, shard, seq, file",
  );
  for (const { file, shard, shard_of } of files) {
    const ids = order.get(`weather/${shard}/${shard_of}`) ?? [];
    order.set(`weather/${shard}/${shard_of}`, ids);
    for await (const batch of readParquet(permit, bytesSource(file, topic.lake.bucket.bytesOf(file)))) {
      for (let row = 0; row < batch.length; row++) {
        const value = rowAt(batch, row);
        const id = String(value["_message"]);
        const key = `${id}/${String(value["_event"])}`;
        copies.set(key, (copies.get(key) ?? 0) + 1);
        if (!ids.includes(id)) ids.push(id);
      }
    }
  }
  return { copies, order };
}

beforeAll(() => loadParquetWasm());

describe("a shard count that changes", () => {
  test("loses and doubles nothing, keeps the order of appends, and retires what is done for", async () => {
    await fc.assert(
      fc.asyncProperty(deploys, fc.array(op, { maxLength: 25 }), async ({ counts, messages }, ops) => {
        const topic = new Topic();
        for (const { do: what, which, io } of ops) {
          const shard = [...topic.shards.values()][which % Math.max(1, topic.shards.size)];
          const message = messages[which % messages.length];
          if (what === "deliver" && message !== undefined) await topic.deliver(message.bytes, io);
          else if (what === "advance") topic.lake.now += 7_000;
          else if (shard !== undefined && what === "ring") {
            shard.inject(io);
            await shard.ring();
            shard.inject([]);
          } else if (what === "crash") shard?.crash();
          else if (what === "loseAlarm") shard?.loseAlarm();
        }
        await topic.drain();
        // The queue delivers until all is durable; a full buffer drains in between.
        for (const { bytes } of messages) {
          for (let tries = 0; !(await topic.deliver(bytes)); tries++) {
            expect(tries).toBeLessThan(3);
            await topic.drain();
          }
        }
        await topic.drain();

        const { copies, order } = await readBronze(topic);
        expect(copies.size).toBe(messages.reduce((sum, { events }) => sum + events, 0));
        expect([...copies.values()].every((n) => n === 1)).toBe(true);
        for (const [name, shard] of topic.shards) expect(order.get(name) ?? []).toEqual([...shard.stored]);

        const present = counts.at(-1) ?? 1;
        const listed = () =>
          topic.lake.d1.rows<{ name: string }>(
            "SELECT topic || '/' || shard || '/' || shard_of AS name FROM shards WHERE retired_at IS NULL ORDER BY 1",
          );
        const before = listed();
        expect(before.map(({ name }) => name)).toEqual([...topic.shards.keys()].sort());
        await topic.tick(present);
        expect(listed()).toEqual(before);
        topic.lake.now += 10 * DAY;
        await topic.tick(present);
        expect(listed()).toEqual(before.filter(({ name }) => name.endsWith(`/${present}`)));
      }),
      { numRuns: longOrShare(250, 15) },
    );
  });
});
