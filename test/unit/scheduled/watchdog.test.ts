/** The walk over `shards`: who is poked, what is noted, who is held off and let go, what is retired. */
import { beforeEach, expect, test } from "vitest";
import type { Backlog, ShardAddress, TopicBufferNamespace } from "../../../durable-objects/stubs.ts";
import { heldOffTopics, overdueBuffers, parkedSlices } from "../../../scheduled/conditions/buffers.ts";
import { watchdog } from "../../../scheduled/watchdog/watchdog.ts";
import { registerFlush } from "../../../sql/statements/bronze.ts";
import { registerParkedSlice } from "../../../sql/statements/parked-slices.ts";
import { listShard } from "../../../sql/statements/shards.ts";
import { FaultyD1 } from "../../oracle/faulty-d1.ts";

const NOW = Date.UTC(2026, 10, 21, 12);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const LIMITS = { bytes: 1_000, ageMs: 6 * HOUR };
const EMPTY: Backlog = { rows: 0, bytes: 0, oldestAt: null };
const CONTRACT = { topic: "orders", shards: 2, flush: { bytes: 1, rows: 1, ageMs: MINUTE } };

let d1: FaultyD1;
let backlogs: Map<string, Backlog | Error>;
let retirable: Set<string>;
let calls: string[];
let logs: Readonly<Record<string, unknown>>[];

beforeEach(() => {
  d1 = new FaultyD1();
  backlogs = new Map();
  retirable = new Set();
  calls = [];
  logs = [];
});

const nameOf = ({ topic, shard, of }: ShardAddress) => `${topic}/${shard}/${of}`;

const buffers: TopicBufferNamespace<string> = {
  idFromName: (name) => name,
  get: (name) => ({
    append: () => Promise.reject(new Error("the watchdog appends nothing")),
    poke: async (address) => {
      expect(nameOf(address)).toBe(name);
      calls.push(`poke ${name}`);
      const backlog = backlogs.get(name) ?? EMPTY;
      if (backlog instanceof Error) throw backlog;
      return backlog;
    },
    unflushed: async () => ({ events: 0, oldestAppended: null }),
    flush: async () => ({ events: 0, oldestAppended: null }),
    retire: async () => {
      calls.push(`retire ${name}`);
      return retirable.has(name);
    },
  }),
};

function tick(now = NOW, cursor: string | null = null) {
  calls = [];
  return watchdog({
    db: d1.binding,
    buffers,
    contractOf: (topic) => (topic === CONTRACT.topic ? CONTRACT : undefined),
    flushAgeSeconds: "0",
    pressure: LIMITS,
    log: (event) => void logs.push(event),
  }).run(now, cursor);
}

async function list(shard: number, shardOf: number, at: number, topic = "orders"): Promise<void> {
  await listShard(d1.binding, { topic, shard, shardOf }, new Date(at).toISOString()).run();
}

let seq = 0;

async function flushed(shard: number, shardOf: number, at: number, backlog = EMPTY): Promise<void> {
  const flush = { topic: "orders", shard, shardOf, incarnation: "i", seq: ++seq };
  await d1.binding.batch(registerFlush(d1.binding, flush, [], backlog, new Date(at).toISOString()));
}

test("who was silent for twice the flush age is poked: listed and never flushed, idle, or with an old block", async () => {
  await list(0, 2, NOW - 3 * MINUTE);
  await list(1, 2, NOW - HOUR);
  await flushed(1, 2, NOW - MINUTE);
  await list(0, 4, NOW - HOUR);
  await flushed(0, 4, NOW - MINUTE, { rows: 1, bytes: 10, oldestAt: NOW - 3 * MINUTE });
  await list(1, 4, NOW - MINUTE);
  expect(await tick()).toMatchObject({ shards: 4, poked: 2, failed: 0 });
  expect(calls).toEqual(expect.arrayContaining(["poke orders/0/2", "poke orders/0/4"]));
  // A clock that went back, or a time that is none: rather asked once too often.
  d1.rows("UPDATE shards SET oldest_unflushed = 'none' WHERE shard_of = 4 RETURNING 1");
  expect(await tick()).toMatchObject({ poked: 3 });
});

test("many shards are walked page by page", async () => {
  for (let shard = 0; shard < 256; shard++) await list(shard, 256, NOW - HOUR);
  expect(await tick()).toMatchObject({ shards: 256, poked: 256 });
  expect(new Set(calls.filter((call) => call.startsWith("poke"))).size).toBe(256);
});

test("a walk of more shards than one run may ask goes on behind the last, whatever isolate runs it", async () => {
  const many = Array.from({ length: 2_200 }, (_, shard) => ({ topic: "orders", shard, shardOf: 4_096 }));
  for (const shard of many) await listShard(d1.binding, shard, new Date(NOW - HOUR).toISOString()).run();
  const first = await tick();
  expect(first).toMatchObject({ shards: 2_000, poked: 2_000, partial: true, more: "now" });
  expect(await tick(NOW, first.cursor)).toMatchObject({ shards: 200, poked: 200, partial: true });
  expect(calls).toContain("poke orders/2199/4096");
  expect((await tick(NOW, first.cursor)).more).toBeUndefined();
  // Of another deploy.
  expect(await tick(NOW, '{"shard":"x"}')).toMatchObject({ shards: 2_000 });
});

test("what a buffer holds is noted when it changed, and told as a condition while it lasts", async () => {
  await list(0, 2, NOW - HOUR);
  const source = overdueBuffers({ db: d1.binding, contracts: [CONTRACT], flushAgeSeconds: "0" });
  backlogs.set("orders/0/2", { rows: 7, bytes: 400, oldestAt: NOW - 30 * MINUTE });
  expect(await tick()).toMatchObject({ waiting: 1, held: 0 });
  expect(d1.rows("SELECT oldest_unflushed, buffered_rows, buffered_bytes FROM shards")).toEqual([
    { oldest_unflushed: new Date(NOW - 30 * MINUTE).toISOString(), buffered_rows: 7, buffered_bytes: 400 },
  ]);
  expect(await source.find(NOW)).toMatchObject([
    { key: "buffer_overdue/orders/0-2", kind: "freshness", domain: "orders", measured: 1_800, bound: 360 },
  ]);
  expect(await source.find(NOW - 27 * MINUTE)).toEqual([]);
  backlogs.clear();
  await tick();
  expect(await source.find(NOW)).toEqual([]);
});

test("far behind by bytes or by age holds the topic off; under half of a limit lets it go", async () => {
  const source = heldOffTopics({ db: d1.binding });
  await list(0, 2, NOW - HOUR);
  await list(1, 2, NOW - HOUR);
  const hold = async (bytes: number, ageMs: number, now: number) => {
    backlogs.set("orders/1/2", { rows: 1, bytes, oldestAt: now - ageMs });
    await tick(now);
    return (await source.find(now)).length;
  };
  expect(await hold(999, MINUTE, NOW)).toBe(0);
  expect(await hold(1_000, MINUTE, NOW + 1)).toBe(1);
  expect(await source.find(NOW)).toMatchObject([{ key: "back_pressure/orders", severity: "critical" }]);
  expect(await hold(501, MINUTE, NOW + 2)).toBe(1);
  expect(await hold(500, MINUTE, NOW + 3)).toBe(0);
  expect(await hold(10, 6 * HOUR, NOW + 5 * MINUTE)).toBe(1);
  // It runs out by itself when nobody says it again.
  expect(await source.find(NOW + 8 * MINUTE)).toEqual([]);
});

test("a buffer that does not answer keeps neither the others from being walked nor its topic from being held", async () => {
  await list(0, 2, NOW - HOUR);
  await list(1, 2, NOW - HOUR);
  backlogs.set("orders/0/2", { rows: 1, bytes: 2_000, oldestAt: NOW - MINUTE });
  await tick();
  backlogs.set("orders/0/2", new Error("the object was reset"));
  expect(await tick(NOW + 1)).toMatchObject({ poked: 2, failed: 1 });
  expect(logs).toMatchObject([{ event: "poke_failed", topic: "orders", shard: 0, of: 2 }]);
  expect(d1.rows("SELECT topic FROM back_pressure")).toEqual([{ topic: "orders" }]);
});

test("a shard of an old count is retired once its buffer is done for, and stays so until it is listed again", async () => {
  await list(0, 2, NOW - HOUR);
  await list(0, 1, NOW - HOUR);
  await list(0, 1, NOW - HOUR, "gone_topic");
  retirable = new Set(["orders/0/1", "orders/0/2", "gone_topic/0/1"]);
  expect(await tick()).toMatchObject({ shards: 3, retired: 2 });
  expect(calls).not.toContain("retire orders/0/2");
  expect(await tick(NOW + 1)).toMatchObject({ shards: 1, retired: 0 });
  await list(0, 1, NOW + 2);
  expect(await tick(NOW + 3)).toMatchObject({ shards: 2 });
});

test("a shard that asks to be listed while it is retired is not retired", async () => {
  await list(0, 1, NOW - HOUR);
  retirable.add("orders/0/1");
  const { around } = d1;
  let reads = 0;
  d1.around = async (work) => {
    const result = await around(work);
    // The append comes between the page that was read and the write.
    if (++reads === 1) {
      d1.around = around;
      await list(0, 1, NOW);
    }
    return result;
  };
  await tick();
  expect(d1.rows("SELECT retired_at FROM shards")).toEqual([{ retired_at: null }]);
});

test("D1 that fails fails the tick, and the next one walks", async () => {
  await list(0, 2, NOW - HOUR);
  d1.faults.push("before");
  await expect(tick()).rejects.toThrow("D1_ERROR");
  expect(await tick()).toMatchObject({ poked: 1 });
});

test("parked slices are told until they are re-driven", async () => {
  const slice = {
    hour: "2026-11-21T11:00:00Z",
    events: 3,
    cause: "data" as const,
    detail: "d",
    bytes: 1,
  };
  const shard = { topic: "orders", shard: 0, shardOf: 2 };
  const statements = ["m1", "m2", "m2"].map((messageId) =>
    registerParkedSlice(d1.binding, shard, { messageId, ...slice }, new Date(NOW).toISOString()),
  );
  await d1.binding.batch(statements);
  const source = parkedSlices({ db: d1.binding });
  expect(await source.find(NOW)).toMatchObject([
    {
      key: "slices_parked/orders/data",
      kind: "message_parked",
      measured: 6,
      message: expect.stringMatching(/^2 slices/),
    },
  ]);
  d1.rows("UPDATE parked_slices SET redriven_at = 'now' RETURNING 1");
  expect(await source.find(NOW)).toEqual([]);
});
