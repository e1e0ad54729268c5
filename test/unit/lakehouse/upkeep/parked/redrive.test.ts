import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { isRemembered } from "../../../../../durable-objects/topic-buffer/remembered-ids.ts";
import { writeBronze } from "../../../../../lakehouse/bronze/write.ts";
import { frameFault } from "../../../../../lakehouse/upkeep/parked/frame-fault.ts";
import { metadataOf, parkedKey, parkedOf } from "../../../../../lakehouse/upkeep/parked/parked-message.ts";
import { noteFailure, type RedriveDeps, redrive } from "../../../../../lakehouse/upkeep/parked/redrive.ts";
import { decodeMessage, encodeMessage } from "../../../../../schemas/packed-block.ts";
import { loadParquetWasm } from "../../../../../tools/build/parquet-wasm-node.ts";
import { blocksOf, framesOf, makeMessage, uuidAt } from "../../../../oracle/frames.ts";
import { Lake } from "../../../../oracle/lake.ts";
import { AnswerLostError } from "../../../../oracle/memory-bucket.ts";
import { permit } from "../../../../oracle/permit.ts";
import { registerFiles } from "../../../../oracle/register.ts";
import { requireContract } from "../../../../oracle/weather.ts";
import { order } from "../../../gateway/harness.ts";

const NOW = Date.parse("2026-11-21T12:00:00Z");
const DAY = 86_400_000;
const OLD = NOW - 12 * DAY;

let lake: Lake;
let sent: Uint8Array[];
let deps: RedriveDeps;
let fresh: number;
beforeAll(() => loadParquetWasm());
beforeEach(() => {
  lake = new Lake(OLD);
  sent = [];
  fresh = 0;
  deps = {
    db: lake.d1.binding,
    bucket: lake.bucket,
    send: async (_topic, message) => void sent.push(message),
    remembers: (id) => isRemembered(id, NOW),
    hasUnflushed: async () => false,
    frameFault,
    newMessageId: () => uuidAt(NOW, ++fresh),
    permit: () => permit,
  };
});

/** Orders that fall on both shards of their topic. */
function message(sentAt: number, n = 1): Uint8Array {
  const at = new Date(sentAt).toISOString();
  const events = Array.from({ length: 8 }, (_, i) => ({
    event: order(`e-${n}-${i}`, { event_timestamp: at, order_id: `ord_${i}` }),
    extra: null,
    lexical: null,
  }));
  return makeMessage({ topic: "orders", messageId: uuidAt(sentAt, n), received: sentAt * 1_000, events });
}

async function park(bytes: Uint8Array, id = "q1", queue = "sluice-local-orders"): Promise<string> {
  const key = parkedKey(queue, id);
  const customMetadata = metadataOf({ cause: "system", detail: "d", attempts: 3, sent: "2026-11-20T00:00:00.000Z" });
  await lake.bucket.put(key, bytes, { customMetadata });
  return key;
}

let seq = 0;

/** A flush of one shard of two, with that shard's part of the messages. */
async function land(shard: number, messages: readonly Uint8Array[]): Promise<string[]> {
  const frames = messages.flatMap(framesOf).filter((frame) => frame.slice.shard === shard);
  const flush = { topic: "orders", shard, shardOf: 2, incarnation: "11aa22bb", seq: ++seq };
  const files = await writeBronze({ bucket: lake.bucket, permit }, requireContract("orders"), flush, blocksOf(frames));
  if (files.length > 0) await lake.d1.binding.batch(registerFiles(lake.d1.binding, files, new Date(OLD).toISOString()));
  return files.map(({ file }) => file);
}

const shards = () => headers().map(({ slices }) => slices.map(({ shard }) => shard));
const headers = () => sent.map((bytes) => decodeMessage(bytes).header);

describe("redrive", () => {
  test("a message that buffers remember goes back as it is, and is not parked any more", async () => {
    const bytes = message(NOW - DAY);
    const key = await park(bytes);
    expect(await redrive(key, deps)).toEqual({ kind: "sent", messageId: uuidAt(NOW - DAY, 1), events: 8 });
    expect(sent).toEqual([bytes]);
    expect(await redrive(key, deps)).toEqual({ kind: "not_found" });
  });

  test("is parked until the send is durable; a lost answer repeats the same bytes", async () => {
    const bytes = message(NOW - DAY);
    const key = await park(bytes);
    const failing = { ...deps, send: () => Promise.reject(new Error("queue unavailable")) };
    await expect(redrive(key, failing)).rejects.toThrow("queue unavailable");
    lake.bucket.failures.push(undefined, new Error("delete: internal error"));
    await expect(redrive(key, deps)).rejects.toThrow("internal error");
    await redrive(key, deps);
    expect(sent).toEqual([bytes, bytes]);
  });

  test("of an old one only what bronze does not have is sent; when it has all, nothing is", async () => {
    const bytes = message(OLD);
    await land(0, [message(OLD, 2), bytes]);
    expect(await redrive(await park(bytes), deps)).toMatchObject({ kind: "sent" });
    expect(shards()).toEqual([[1]]);
    const [before] = decodeMessage(bytes).header.slices.slice(1);
    expect(headers()[0]?.slices).toEqual([{ ...before, offset: 0 }]);
    await land(1, [bytes]);
    const again = await park(bytes);
    expect(await redrive(again, deps)).toMatchObject({ kind: "discarded", detail: expect.stringContaining("already") });
    expect(sent).toHaveLength(1);
    expect(lake.bucket.objects.has(again)).toBe(false);
  });

  test("an old one that bronze does not have goes under a fresh id, the same in every try and for every copy", async () => {
    const bytes = message(OLD);
    await land(0, [message(OLD, 2)]);
    const first = await park(bytes, "q1");
    const copy = await park(bytes, "q2", "sluice-local-orders-dlq");
    const failing = { ...deps, send: () => Promise.reject(new Error("queue unavailable")) };
    await expect(redrive(first, failing)).rejects.toThrow();
    expect(await redrive(first, deps)).toEqual({ kind: "sent", messageId: uuidAt(NOW, 1), events: 8 });
    expect(await redrive(copy, deps)).toEqual({ kind: "sent", messageId: uuidAt(NOW, 1), events: 8 });
    expect(sent[1]).toEqual(sent[0]);
    const [resent = new Uint8Array()] = sent;
    const { header, body } = decodeMessage(bytes);
    const marked = { message_id: uuidAt(NOW, 1), gateway: `redrive/${header.message_id}`, sequence: 1 };
    expect(decodeMessage(resent).header).toEqual({ ...header, ...marked });
    expect(decodeMessage(resent).body).toEqual(body);
    // Once it has landed under that id, a later copy has nothing left to send, although no buffer remembers that id either.
    await land(0, [resent]);
    await land(1, [resent]);
    const third = await park(bytes, "q3");
    expect(await redrive(third, { ...deps, remembers: () => false })).toMatchObject({ kind: "discarded" });
  });

  test("what an old one tells of its gateway's numbers is not told under another name", async () => {
    const { header, body } = decodeMessage(message(OLD));
    const bodies = header.slices.map(({ offset, length }) => body.subarray(offset, offset + length));
    await land(0, [message(OLD, 2)]);
    const bytes = encodeMessage({ ...header, sequence: 9, unsent: [[3, 5]] }, bodies);
    expect(await redrive(await park(bytes), deps)).toMatchObject({ kind: "sent", events: 8 });
    expect(headers()).toEqual([{ ...header, message_id: uuidAt(NOW, 1), gateway: `redrive/${header.message_id}` }]);
  });

  test("two tries at once use one id", async () => {
    const bytes = message(OLD);
    const key = await park(bytes);
    const outcomes = await Promise.all([redrive(key, deps), redrive(key, deps)]);
    const kinds = outcomes.map(({ kind }) => kind);
    expect(kinds).toContain("sent");
    expect(new Set(headers().map(({ message_id }) => message_id)).size).toBe(1);
    expect(lake.bucket.objects.has(key)).toBe(false);
  });

  test("an id whose writing down lost its answer is found by the next try", async () => {
    const key = await park(message(OLD));
    lake.bucket.failures.push(undefined, undefined, new AnswerLostError("put"));
    await expect(redrive(key, deps)).rejects.toThrow();
    expect(await redrive(key, deps)).toMatchObject({ kind: "sent", messageId: uuidAt(NOW, 1) });
  });

  test("waits for rows that are in no file, and for the permit", async () => {
    const key = await park(message(OLD));
    expect(await redrive(key, { ...deps, hasUnflushed: async () => true })).toMatchObject({ kind: "postponed" });
    expect(await redrive(key, { ...deps, permit: () => undefined })).toMatchObject({ kind: "postponed" });
    expect(sent).toEqual([]);
  });

  test("keeps one whose time's bronze is gone, and bytes that are no message; a build request is not needed", async () => {
    const bytes = message(OLD);
    await lake.bucket.delete(await land(0, [message(OLD, 2)]));
    lake.d1.rows("UPDATE bronze_files SET retired_by = 'retention'");
    const old = await park(bytes);
    expect(await redrive(old, deps)).toMatchObject({ kind: "kept", detail: expect.stringContaining("gone") });
    const poison = await park(Uint8Array.of(1, 2, 3), "q2");
    expect(await redrive(poison, deps)).toMatchObject({ kind: "kept" });
    const build = await park(Buffer.from('{"domain":"orders","date":"2026-11-21"}'), "q3", "sluice-local-builds-dlq");
    expect(await redrive(build, deps)).toMatchObject({ kind: "discarded" });
    expect([...lake.bucket.objects.keys()].filter((key) => key.startsWith("parked/"))).toEqual([old, poison]);
    expect(sent).toEqual([]);
  });

  test("a failure is counted on the object, whose bytes stay", async () => {
    const bytes = message(OLD);
    const key = await park(bytes);
    await noteFailure(key, lake.bucket);
    await noteFailure(key, lake.bucket);
    const object = await lake.bucket.head(key);
    expect(object === null ? null : parkedOf(object)).toMatchObject({ redrives: 2, attempts: 3, cause: "system" });
    expect(lake.bucket.bytesOf(key)).toEqual(bytes);
  });
});
