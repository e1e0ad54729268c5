/**
 * Slices that a deploy could not decode, and their way back: a buffer sets them aside, others mend the deploy, several re-drive at
 * once with faults at any step, queues deliver twice and late, buffers forget. In the end every event is in bronze exactly once, and
 * the ledger has counted it once.
 */

import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import type { Contract } from "../../contracts/contract.ts";
import { isRemembered } from "../../durable-objects/topic-buffer/remembered-ids.ts";
import { sliceFault } from "../../lakehouse/bronze/slice-fault.ts";
import { rowAt } from "../../lakehouse/engine/columns/value.ts";
import { bytesSource, readParquet } from "../../lakehouse/engine/parquet/reader.ts";
import { metadataOf, parkedKey } from "../../lakehouse/upkeep/parked/parked-message.ts";
import { type RedriveDeps, redrive } from "../../lakehouse/upkeep/parked/redrive.ts";
import { decodeMessage } from "../../schemas/packed-block.ts";
import { loadParquetWasm } from "../../tools/build/parquet-wasm-node.ts";
import { longOrShare } from "../long-share.ts";
import type { D1Fault } from "../oracle/faulty-d1.ts";
import { framesForShard, uuidAt } from "../oracle/frames.ts";
import { AnswerLostError } from "../oracle/memory-bucket.ts";
import { permit } from "../oracle/permit.ts";
import { weather, weatherMessage } from "../oracle/weather.ts";
import { Shard } from "./topic-buffer/shard.ts";

const START = Date.UTC(2026, 10, 21, 23, 30);
const DAY = 86_400_000;
const EVENTS = 2;

/** A deploy with a fault: it reads a text as a time, and is lost in the bytes behind it. */
const broken: Contract = { ...weather, eventTime: "station_id" };

type Fault = "none" | "fail" | "lose";
type Step =
  | { readonly do: "send"; readonly message: number }
  /** The queue delivers what it has, some of it twice; the buffer may flush. */
  | { readonly do: "deliver"; readonly twice: boolean; readonly flush: boolean }
  | { readonly do: "deploy"; readonly mended: boolean }
  | {
      /** `mended`: its deploy, which may be another than the buffer's while one is rolled out. */
      readonly do: "redrive";
      readonly mended: boolean;
      readonly which: readonly number[];
      readonly r2: readonly Fault[];
      readonly d1: readonly Fault[];
    }
  /** So long that buffers forget. */
  | { readonly do: "wait" };

const fault = fc.constantFrom<Fault>("none", "none", "none", "none", "fail", "lose");
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant("send" as const), message: fc.nat(2) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("deliver" as const),
      twice: fc.boolean(),
      flush: fc.constantFrom(true, true, false),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("deploy" as const), mended: fc.boolean() }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("redrive" as const),
      mended: fc.boolean(),
      which: fc.array(fc.nat(3), { minLength: 1, maxLength: 3 }),
      r2: fc.array(fault, { maxLength: 6 }),
      d1: fc.array(fault, { maxLength: 4 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: "wait" as const }) },
);

const messages = [0, 1, 2].map((n) =>
  weatherMessage({
    messageId: uuidAt(START, n),
    received: START * 1_000,
    sequence: n + 1,
    events: Array.from({ length: EVENTS }, (_, i) => ({ eventId: `${n}-${i}`, at: START * 1_000 })),
  }),
);

class World {
  readonly shard = new Shard(START);
  readonly queue: Uint8Array[] = [];
  readonly sent = new Set<number>();
  readonly seen = { setAside: 0, again: 0, tooOld: 0 };
  /** The deploy of whoever re-drives. */
  redriver: Contract = weather;
  #ids = 0;
  #parked = 0;

  readonly deps: RedriveDeps = {
    db: this.shard.d1.binding,
    bucket: this.shard.bucket,
    send: async (_topic, message) => void this.queue.push(message),
    remembers: (id) => isRemembered(id, this.shard.now),
    hasUnflushed: async () => this.shard.poke().oldestAt !== null,
    frameFault: (frame) => sliceFault(this.redriver, frame),
    newMessageId: () => uuidAt(this.shard.now, 100 + this.#ids++),
    permit: () => permit,
  };

  parkedKeys(): string[] {
    return [...this.shard.bucket.objects.keys()].filter((key) => key.startsWith("parked/"));
  }

  /** As the consumer: what is too old is parked whole, what is refused stays in the queue. */
  async deliver(message: Uint8Array): Promise<void> {
    const result = await this.shard.append(framesForShard([message], 0));
    if (result === undefined || result.refused.length > 0) this.queue.push(message);
    if (result === undefined || result.tooOld.length === 0) return;
    this.seen.tooOld++;
    const customMetadata = metadataOf({ cause: "system", detail: "too old", attempts: 1, sent: "" });
    await this.shard.bucket.put(parkedKey("sluice-local-weather", `m${this.#parked++}`), message, { customMetadata });
  }

  async deliverAll(twice: boolean): Promise<void> {
    for (const message of this.queue.splice(0)) {
      await this.deliver(message);
      if (twice) await this.deliver(message);
    }
  }

  async play(one: Step): Promise<void> {
    const { shard } = this;
    switch (one.do) {
      case "send":
        this.sent.add(one.message);
        this.queue.push(messageOf(one.message));
        break;
      case "deliver":
        await this.deliverAll(one.twice);
        if (one.flush) await shard.drain();
        break;
      case "deploy":
        shard.contract = one.mended ? weather : broken;
        break;
      case "wait":
        shard.now += 10 * DAY;
        break;
      case "redrive": {
        const keys = this.parkedKeys();
        this.redriver = one.mended ? weather : broken;
        shard.bucket.failures.push(...one.r2.map(errorOf));
        shard.d1.faults.push(...one.d1.map(d1FaultOf));
        await Promise.allSettled(one.which.map((n) => redrive(keys[n % keys.length] ?? "parked/q/none", this.deps)));
        shard.bucket.failures.splice(0);
        shard.d1.faults.splice(0);
      }
    }
  }

  /** The deploy is mended and the faults are over. */
  async settle(): Promise<void> {
    this.shard.contract = weather;
    this.redriver = weather;
    for (let round = 0; round < 8; round++) {
      await this.deliverAll(false);
      await this.shard.drain();
      for (const key of this.parkedKeys()) await redrive(key, this.deps);
    }
    expect([this.parkedKeys(), this.queue.length]).toEqual([[], 0]);
  }

  async judge(): Promise<void> {
    const { d1, bucket } = this.shard;
    const found: string[] = [];
    for (const { file } of d1.rows<{ file: string }>("SELECT file FROM bronze_files")) {
      for await (const batch of readParquet(permit, bytesSource(file, bucket.bytesOf(file)))) {
        for (let row = 0; row < batch.length; row++) found.push(String(rowAt(batch, row)["event_id"]));
      }
    }
    const expected = [...this.sent].flatMap((n) => Array.from({ length: EVENTS }, (_, i) => `${n}-${i}`));
    expect(found.sort()).toEqual(expected.sort());
    const slices = d1.rows<{ message_id: string; redriven_at: string | null }>(
      "SELECT message_id, redriven_at FROM parked_slices",
    );
    for (const { redriven_at } of slices) expect(redriven_at).not.toBeNull();
    const own = messages.map((bytes) => decodeMessage(bytes).header.message_id);
    this.seen.setAside += slices.length;
    this.seen.again += slices.filter(({ message_id }) => !own.includes(message_id)).length;
    expect(d1.rows("SELECT coalesce(sum(events), 0) AS events FROM ledger")).toEqual([{ events: expected.length }]);
  }
}

function messageOf(n: number): Uint8Array {
  return messages[n] ?? new Uint8Array();
}

function errorOf(kind: Fault): Error | undefined {
  if (kind === "none") return undefined;
  return kind === "fail" ? new Error("R2 is down") : new AnswerLostError("answer lost");
}

function d1FaultOf(kind: Fault): D1Fault | undefined {
  if (kind === "none") return undefined;
  return kind === "fail" ? "before" : "after";
}

beforeAll(() => loadParquetWasm());

const SCHEDULES = Number(process.env["SCHEDULES"] ?? longOrShare(300, 40));

test(
  "every event is in bronze once and counted once, whatever was set aside on the way",
  async () => {
    const seen = { setAside: 0, again: 0, tooOld: 0 };
    await fc.assert(
      fc.asyncProperty(fc.boolean(), fc.array(step, { size: "max", maxLength: 16 }), async (mended, steps) => {
        const world = new World();
        world.shard.contract = mended ? weather : broken;
        for (const one of steps) await world.play(one);
        await world.settle();
        await world.judge();
        for (const name of ["setAside", "again", "tooOld"] as const) seen[name] += world.seen[name];
      }),
      { numRuns: SCHEDULES },
    );
    // The schedules really meet what they are about.
    for (const [name, n] of Object.entries(seen)) expect([name, n > SCHEDULES / 60]).toEqual([name, true]);
  },
  longOrShare(600_000, 120_000),
);
