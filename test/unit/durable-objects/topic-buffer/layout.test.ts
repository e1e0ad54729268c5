/** A flush that one deploy began to write and another goes on with: where its rows stand is the first one's to say. */

import { beforeAll, describe, expect, test } from "vitest";
import { BufferStore } from "../../../../durable-objects/topic-buffer/store.ts";
import { planFiles, UNSTORED_POLICY } from "../../../../lakehouse/bronze/files.ts";
import { layoutText } from "../../../../lakehouse/bronze/layout.ts";
import { metadataOfFile } from "../../../../lakehouse/bronze/standing.ts";
import { writeBronze } from "../../../../lakehouse/bronze/write.ts";
import { readFrames } from "../../../../schemas/packed-block.ts";
import { loadParquetWasm } from "../../../../tools/build/parquet-wasm-node.ts";
import { expectEqual } from "../../../oracle/expect-equal.ts";
import { framesForShard, uuidAt } from "../../../oracle/frames.ts";
import { MemoryBucket } from "../../../oracle/memory-bucket.ts";
import { permit } from "../../../oracle/permit.ts";
import { readWithDuckDb } from "../../../oracle/read-parquet.ts";
import { SqliteStorage } from "../../../oracle/sql-storage.ts";
import { weather, weatherMessage } from "../../../oracle/weather.ts";
import { type IoFault, Shard } from "../../../property/topic-buffer/shard.ts";

const START = Date.UTC(2026, 10, 21, 12);
const DAY = 24 * 3_600_000;
const NAME = "000-of1life0000-00000001.parquet";

beforeAll(() => loadParquetWasm());

/** Readings of the given days before today. */
async function holding(days: readonly number[]): Promise<Shard> {
  const shard = new Shard(START);
  const events = days.map((day, n) => ({ eventId: `e${n}`, at: (START - day * DAY) * 1_000 }));
  await shard.append(
    framesForShard([weatherMessage({ messageId: uuidAt(START, 1), received: START * 1_000, events })], 0),
  );
  shard.now += 11_000;
  return shard;
}

async function ring(shard: Shard, ...io: IoFault[]): Promise<void> {
  shard.inject(io);
  await shard.ring();
  shard.inject([]);
}

/** Event id, the date of its row, and the date that the catalog says the row has. */
async function bronze(shard: Shard): Promise<unknown[]> {
  const found: unknown[] = [];
  for (const { file, date, first, rows } of shard.d1.rows<{ file: string; date: string; first: number; rows: number }>(
    "SELECT file, partition_date AS date, first_row AS first, rows FROM bronze_file_dates",
  )) {
    const all = await readWithDuckDb(shard.bucket.bytesOf(file));
    for (const row of all.slice(first, first + rows)) found.push([row["event_id"], row["event_date"], date]);
  }
  return found.sort();
}

const SIX = [0, 1, 2, 3, 4, 4];
const SIX_ROWS = SIX.map((day, n) => {
  const date = new Date(START - day * DAY).toISOString().slice(0, 10);
  return [`e${n}`, date, date];
});

describe("a flush is laid out once", () => {
  test("a deploy between two puts writes the rest as the first one laid it out", async () => {
    for (const puts of [1, 2, 3]) {
      const shard = await holding(SIX);
      await ring(shard, ...Array.from({ length: puts - 1 }, () => "ok" as const), "deploy");
      expect(shard.deploys).toBe(1);
      expect(shard.bucket.objects.size).toBe(puts);
      await shard.drain();
      expect([...shard.bucket.objects.keys()].sort()).toEqual([
        `bronze/weather/event_date=2026-11-20/${NAME}`,
        `bronze/weather/event_date=2026-11-21/${NAME}`,
        `bronze_mixed/weather/${NAME}`,
      ]);
      expect(await bronze(shard)).toEqual(SIX_ROWS);
      expect(shard.storage.exec("SELECT seq FROM flush_layouts").toArray()).toEqual([]);
    }
  });

  test("each object says its input, its layout and the form of that", async () => {
    const shard = await holding(SIX);
    await shard.drain();
    const said = [...shard.bucket.objects.values()].map(({ customMetadata }) => customMetadata);
    expect(new Set(said.map((one) => one["input"])).size).toBe(1);
    expect(said.map(({ layout, format }) => [layout, format])).toEqual([
      ["20777:1", "1"],
      ["20778:1", "1"],
      ["20774:2,20775:1,20776:1", "1"],
    ]);
  });

  test("a deploy whose contract takes the date from another time keeps the dates of what was begun", async () => {
    const shard = await holding(SIX);
    await ring(shard, "deploy");
    shard.contract = { ...weather, partition: { ...weather.partition, source: "received" } };
    await shard.drain();
    expect(await bronze(shard)).toEqual(SIX_ROWS);
  });

  test("frames that a later deploy cannot read are not set aside once an object holds them", async () => {
    const shard = await holding(SIX);
    await ring(shard, "deploy");
    const [block] = shard.storage.exec<{ bytes: ArrayBuffer }>("SELECT bytes FROM blocks").toArray();
    const corrupt = new Uint8Array(block?.bytes.slice(0) ?? new ArrayBuffer());
    corrupt.fill(0xff, corrupt.byteLength - 30);
    shard.storage.exec("UPDATE blocks SET bytes = ?", corrupt);
    await ring(shard);
    expect(shard.seen.failures).toBe(1);
    expect(shard.storage.exec("SELECT seq FROM parked").toArray()).toEqual([]);
    expect(shard.poke().rows).toBe(6);

    shard.storage.exec("UPDATE blocks SET bytes = ?", new Uint8Array(block?.bytes ?? new ArrayBuffer()));
    await shard.drain();
    expect(await bronze(shard)).toEqual(SIX_ROWS);
  });

  test("while no object stands they are, and what is left is laid out anew", async () => {
    const shard = await holding(SIX);
    const events = [{ eventId: "bad", at: START * 1_000 }];
    const bad = weatherMessage({ messageId: uuidAt(START, 2), received: START * 1_000, events });
    await shard.append(framesForShard([bad], 0));
    await ring(shard, "before");
    expect(shard.bucket.objects.size).toBe(0);
    const block = shard.storage
      .exec<{ id: number; bytes: ArrayBuffer }>("SELECT id, bytes FROM blocks ORDER BY id")
      .toArray()
      .at(-1);
    const corrupt = new Uint8Array(block?.bytes ?? new ArrayBuffer());
    corrupt.fill(0xff, corrupt.byteLength - 30);
    shard.storage.exec("UPDATE blocks SET bytes = ? WHERE id = ?", corrupt, block?.id ?? 0);
    await shard.drain();
    expect(shard.d1.rows("SELECT message_id FROM parked_slices")).toEqual([{ message_id: uuidAt(START, 2) }]);
    expect(await bronze(shard)).toEqual(SIX_ROWS);
  });
});

describe("a flush that a deploy began which stored no layouts", () => {
  /** Frozen by that deploy, which put the first `puts` of its files and says nothing of them. */
  async function begunBefore(puts: number): Promise<Shard> {
    const shard = await holding(SIX);
    await ring(shard, "before");
    shard.storage.exec("UPDATE flushes SET stores_layout = 0, layout = NULL, attempts = 0, not_before = 0");
    const flush = { topic: "weather", shard: 0, shardOf: 1, incarnation: "of1life0000", seq: 1 };
    const blocks = new BufferStore(shard.storage).frozenBlocks(1);
    const written = new MemoryBucket();
    await writeBronze({ bucket: written, permit }, weather, flush, blocks, { policy: UNSTORED_POLICY });
    for (const [key, { bytes, customMetadata }] of [...written.objects].slice(0, puts)) {
      await shard.bucket.put(key, bytes, { customMetadata: { input: customMetadata["input"] ?? "" } });
    }
    expect(shard.bucket.objects.size).toBe(puts);
    return shard;
  }

  test("goes on as that one laid it out", async () => {
    for (const puts of [0, 1]) {
      const shard = await begunBefore(puts);
      await shard.drain();
      expect([...shard.bucket.objects.keys()]).toEqual([`bronze_mixed/weather/${NAME}`]);
      expect(await bronze(shard)).toEqual(SIX_ROWS);
    }
  });

  test("an object of another layout under our key: the rows stay buffered", async () => {
    const shard = await begunBefore(1);
    // A rollback began it, and the deploy that came after it had stored a layout of its own.
    shard.storage.exec("UPDATE flushes SET stores_layout = 1");
    await ring(shard);
    await ring(shard);
    expect(shard.seen.failures).toBeGreaterThan(0);
    expect(shard.poke().rows).toBe(6);
    expect(shard.d1.rows("SELECT file FROM bronze_files")).toEqual([]);
  });

  test("an object from when flushes had no layout has the columns for it", () => {
    const storage = new SqliteStorage();
    storage.exec(
      "CREATE TABLE flushes (seq INTEGER PRIMARY KEY, step TEXT NOT NULL, attempts INTEGER NOT NULL, not_before INTEGER NOT NULL, files TEXT, last_block INTEGER NOT NULL DEFAULT 0)",
    );
    storage.exec("INSERT INTO flushes (seq, step, attempts, not_before) VALUES (1, 'frozen', 0, 0)");
    const { layouts } = new BufferStore(storage);
    expect([layouts.isStored(1), layouts.of(1)]).toEqual([false, undefined]);
  });
});

test("the layout of any flush fits the rows of SQLite and the metadata of R2, on a local platform too", () => {
  const storage = new SqliteStorage();
  const store = new BufferStore(storage);
  store.incarnation(() => "i");
  const events = [{ eventId: "e", at: START * 1_000 }];
  const message = weatherMessage({ messageId: uuidAt(START, 1), received: START * 1_000, events });
  store.appendFrames([...readFrames(framesForShard([message], 0))], START);
  const seq = store.freeze(1e6, 1e6);
  // The longest texts: seven digits of a day, three of its rows.
  const days = new Map(Array.from({ length: 200_000 }, (_, n) => [2_700_000 + n, { rows: 999 }]));
  const files = planFiles(weather, { topic: "weather", shard: 0, incarnation: "abcd1234", seq }, days);
  for (const file of files) {
    const metadata = metadataOfFile("f".repeat(64), file);
    expectEqual(metadata["layout"], layoutText(file.dates));
    expect(Object.entries(metadata).flat().join("").length).toBeLessThan(2_048);
  }
  const layout = { input: "x", rule: { eventTime: "t", partition: { source: "event" as const } }, files };
  for (let time = 0; time < 2; time++) storage.transactionSync(() => store.layouts.keep(seq, layout));
  expectEqual(store.layouts.of(seq), layout);
  const longest = (column: string, table: string) =>
    storage.exec<{ n: number }>(`SELECT max(length(${column})) AS n FROM ${table}`).one().n;
  expect(longest("layout", "flushes")).toBeLessThanOrEqual(1_000_000);
  expect(longest("piece", "flush_layouts")).toBeLessThanOrEqual(1_000_000);
  store.layouts.drop(seq);
  expect(store.layouts.of(seq)).toBeUndefined();
  expect(storage.exec("SELECT seq FROM flush_layouts").toArray()).toEqual([]);
});
