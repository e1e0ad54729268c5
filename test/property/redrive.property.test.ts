/**
 * An old message, parked more than once, re-driven by several at once with faults at any step, delivered late and twice: each of its
 * slices is appended exactly once. Buffers are a model with their memory of ids; bronze is real Parquet.
 */

import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { writeBronze } from "../../lakehouse/bronze/write.ts";
import { forgetResends } from "../../lakehouse/upkeep/parked/forget-resends.ts";
import { contentsOf, metadataOf, parkedKey } from "../../lakehouse/upkeep/parked/parked-message.ts";
import { type RedriveDeps, redrive } from "../../lakehouse/upkeep/parked/redrive.ts";
import { decodeMessage } from "../../schemas/packed-block.ts";
import { loadParquetWasm } from "../../tools/build/parquet-wasm-node.ts";
import { longOrShare } from "../long-share.ts";
import { FaultyD1 } from "../oracle/faulty-d1.ts";
import { blocksOf, framesOf, makeMessage, uuidAt } from "../oracle/frames.ts";
import { AnswerLostError, MemoryBucket } from "../oracle/memory-bucket.ts";
import { permit } from "../oracle/permit.ts";
import { registerFiles } from "../oracle/register.ts";
import { requireContract } from "../oracle/weather.ts";
import { order } from "../unit/gateway/harness.ts";

const NOW = Date.parse("2026-11-21T12:00:00Z");
const DAY = 86_400_000;
const OLD = NOW - 12 * DAY;

beforeAll(() => loadParquetWasm());

type Step =
  /** Re-drives of parked copies, at once; each has its faults, by the operation they hit. */
  | { readonly do: "redrive"; readonly copies: readonly number[]; readonly faults: readonly Fault[] }
  /** The queue delivers what it has, some of it twice. */
  | { readonly do: "deliver"; readonly twice: boolean }
  /** Buffers forget every id they know: time has passed. */
  | { readonly do: "forget" }
  /** So much time that lists of ids go, where nothing is parked of them. */
  | { readonly do: "sweep"; readonly faults: readonly Fault[] };
type Fault = "none" | "fail" | "lose";

const fault = fc.constantFrom<Fault>("none", "none", "none", "fail", "lose");
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("redrive" as const),
      copies: fc.array(fc.nat(2), { minLength: 1, maxLength: 3 }),
      faults: fc.array(fault, { maxLength: 8 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("deliver" as const), twice: fc.boolean() }) },
  { weight: 1, arbitrary: fc.constant({ do: "forget" as const }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("sweep" as const), faults: fc.array(fault, { maxLength: 4 }) }) },
);

class World {
  now = NOW;
  readonly bucket = new MemoryBucket(() => this.now);
  readonly d1 = new FaultyD1(() => NOW);
  readonly queue: Uint8Array[] = [];
  /** Appends by shard. */
  readonly appended = new Map<number, number>();
  readonly #known = new Set<string>();
  readonly #forgotten = new Set<string>();
  readonly #issued = new Set<string>();
  #ids = 0;
  #parked = 0;
  #flushes = 0;

  readonly deps: RedriveDeps = {
    db: this.d1.binding,
    bucket: this.bucket,
    send: async (_topic, message) => void this.queue.push(message),
    remembers: (id) => this.#issued.has(id) && !this.#forgotten.has(id),
    hasUnflushed: async () => false,
    frameFault: () => null,
    newMessageId: () => {
      const id = uuidAt(NOW, ++this.#ids);
      this.#issued.add(id);
      return id;
    },
    permit: () => permit,
  };

  async park(message: Uint8Array): Promise<void> {
    const story = { cause: "system" as const, detail: "", attempts: 1, sent: "" };
    const customMetadata = metadataOf({ ...story, contents: contentsOf(message) });
    await this.bucket.put(parkedKey("sluice-local-orders", `m${this.#parked++}`), message, { customMetadata });
  }

  parkedKeys(): string[] {
    return [...this.bucket.objects.keys()].filter((key) => key.startsWith("parked/"));
  }

  /** As a buffer appends: once an id and shard; an id that it does not remember is parked. */
  async deliver(message: Uint8Array): Promise<void> {
    const { header } = decodeMessage(message);
    if (!this.deps.remembers(header.message_id)) return this.park(message);
    for (const { shard } of header.slices) {
      const name = `${header.message_id}/${shard}`;
      if (this.#known.has(name)) continue;
      this.#known.add(name);
      await this.append(message, shard);
    }
  }

  async append(message: Uint8Array, shard: number): Promise<void> {
    this.appended.set(shard, (this.appended.get(shard) ?? 0) + 1);
    const frames = framesOf(message).filter((frame) => frame.slice.shard === shard);
    const flush = { topic: "orders", shard, shardOf: 2, incarnation: "11aa22bb", seq: ++this.#flushes };
    const files = await writeBronze(
      { bucket: this.bucket, permit },
      requireContract("orders"),
      flush,
      blocksOf(frames),
    );
    if (files.length > 0)
      await this.d1.binding.batch(registerFiles(this.d1.binding, files, new Date(OLD).toISOString()));
  }

  forget(): void {
    // A message on its way is never older than its buffer's memory, but for the one that is parked again.
    for (const id of this.#issued) this.#forgotten.add(id);
  }
}

function message(): Uint8Array {
  const at = new Date(OLD).toISOString();
  const events = Array.from({ length: 6 }, (_, i) => ({
    event: order(`e-${i}`, { event_timestamp: at, order_id: `ord_${i}` }),
    extra: null,
    lexical: null,
  }));
  return makeMessage({ topic: "orders", messageId: uuidAt(OLD, 1), received: OLD * 1_000, events });
}

function errorOf(kind: Fault): Error | undefined {
  if (kind === "none") return undefined;
  return kind === "fail" ? new Error("R2 is down") : new AnswerLostError("answer lost");
}

test("each slice is appended exactly once", async () => {
  const bytes = message();
  const shards = decodeMessage(bytes).header.slices.map(({ shard }) => shard);
  expect(shards).toHaveLength(2);
  await fc.assert(
    fc.asyncProperty(
      fc.subarray(shards),
      fc.integer({ min: 1, max: 3 }),
      fc.array(step, { maxLength: 8 }),
      async (landed, copies, steps) => {
        const world = new World();
        for (const shard of landed) await world.append(bytes, shard);
        for (let i = 0; i < copies; i++) await world.park(bytes);
        for (const each of steps) {
          if (each.do === "forget" || each.do === "sweep") {
            // Queues are empty long before buffers forget.
            for (const sent of world.queue.splice(0)) await world.deliver(sent);
            world.forget();
            if (each.do === "forget") continue;
            world.now += 19 * DAY;
            world.bucket.failures.push(...each.faults.map(errorOf));
            await Promise.allSettled([forgetResends({ bucket: world.bucket, rememberedMs: 9 * DAY }, world.now)]);
            world.bucket.failures.splice(0);
          } else if (each.do === "deliver") {
            for (const sent of world.queue.splice(0)) {
              await world.deliver(sent);
              if (each.twice) await world.deliver(sent);
            }
          } else {
            const keys = world.parkedKeys();
            world.bucket.failures.push(...each.faults.map(errorOf));
            await Promise.allSettled(each.copies.map((copy) => redrive(keys[copy] ?? "parked/q/none", world.deps)));
            world.bucket.failures.splice(0);
          }
        }
        for (let round = 0; round < 5 && world.parkedKeys().length + world.queue.length > 0; round++) {
          for (const key of world.parkedKeys()) await redrive(key, world.deps);
          for (const sent of world.queue.splice(0)) await world.deliver(sent);
        }
        expect(world.parkedKeys()).toEqual([]);
        expect(Object.fromEntries(world.appended)).toEqual({ 0: 1, 1: 1 });
      },
    ),
    { numRuns: longOrShare(60, 25) },
  );
});
