/** After a rollback buffers hold events of schemas that the deploy does not have: nothing is wrong with them, so they wait. */
import { afterAll, beforeAll, expect, test, vi } from "vitest";

const deploy = vi.hoisted(() => ({ rolledBack: false }));
vi.mock("../../../../schemas/codecs.ts", async (original) => {
  const codecs = await original<typeof import("../../../../schemas/codecs.ts")>();
  return { ...codecs, codecById: (id: number) => (deploy.rolledBack ? undefined : codecs.codecById(id)) };
});

const START = Date.UTC(2026, 10, 21, 12);

// Files share their modules: here they are loaded anew, over the codecs above, and so they are for the next file.
beforeAll(async () => {
  vi.resetModules();
  const { loadParquetWasm } = await import("../../../../tools/build/parquet-wasm-node.ts");
  loadParquetWasm();
});
afterAll(() => vi.resetModules());

test("the flush of an unknown schema waits, is tried again less and less often, and sets nothing aside", async () => {
  const { findBuffered } = await import("../../../../durable-objects/topic-buffer/find.ts");
  const { BufferStore } = await import("../../../../durable-objects/topic-buffer/store.ts");
  const { framesForShard, uuidAt } = await import("../../../oracle/frames.ts");
  const { weather, weatherMessage } = await import("../../../oracle/weather.ts");
  const { Shard } = await import("../../../property/topic-buffer/shard.ts");
  const shard = new Shard(START);
  const events = [1, 2, 3].map((n) => ({ eventId: `e-${n}`, at: START * 1_000 }));
  const message = weatherMessage({ messageId: uuidAt(START, 1), received: START * 1_000, events });
  await shard.append(framesForShard([message], 0));

  deploy.rolledBack = true;
  const waits: number[] = [];
  for (let ring = 0; ring < 12; ring++) {
    shard.now = Math.max(shard.now, shard.alarm ?? Number.NaN);
    await shard.ring();
    waits.push((shard.alarm ?? Number.NaN) - shard.now);
  }
  expect(shard.seen.failures).toBeGreaterThanOrEqual(10);
  expect(waits.at(-1)).toBeGreaterThan(60_000);
  expect([...shard.bucket.objects.keys()]).toEqual([]);
  expect(shard.storage.exec("SELECT seq FROM parked").toArray()).toEqual([]);
  expect(shard.poke().rows).toBe(3);

  // The trace finds it, with its place once it can be decoded.
  const found = (id: string) => findBuffered(new BufferStore(shard.storage), weather, "event_id", id);
  expect(found("e-2")).toMatchObject([{ message_id: uuidAt(START, 1), event_index: null }]);
  expect(found("e-")).toEqual([]);
  deploy.rolledBack = false;
  expect(found("e-2")).toMatchObject([{ event_index: 1 }]);

  await shard.drain();
  expect(shard.poke().rows).toBe(0);
  expect(shard.d1.rows("SELECT sum(rows) AS rows FROM bronze_files")).toEqual([{ rows: 3 }]);
  expect(shard.d1.rows("SELECT key FROM parked_slices")).toEqual([]);
});
