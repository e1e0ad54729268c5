import { expect, test } from "vitest";
import { COMPACTION_POLICY } from "../../../../../lakehouse/upkeep/compaction/plan.ts";
import { planCompaction } from "../../../../../lakehouse/upkeep/compaction/schedule.ts";
import { insertCompaction } from "../../../../../sql/statements/compactions.ts";
import { FaultyD1 } from "../../../../oracle/faulty-d1.ts";

const START = Date.UTC(2026, 10, 21, 12);
const MINUTE = 60_000;

test("a compaction that fails is tried five times in a row, then once a day", async () => {
  const { binding: db } = new FaultyD1(() => START);
  await insertCompaction(db, { file: "bronze/orders/x.parquet", topic: "orders", inputs: ["a"] }, START).run();
  const tries = [0];
  for (let minute = 10; minute <= 3 * 24 * 60; minute += 10) {
    await planCompaction(
      {
        db,
        builds: { sendBatch: async (messages) => tries.push(...messages.map(() => minute)) },
        policy: COMPACTION_POLICY,
        now: () => START + minute * MINUTE,
        log: () => {},
      },
      null,
    );
  }
  expect(tries).toEqual([0, 30, 60, 90, 120, 120 + 1_440, 120 + 2 * 1_440]);
});

/** Files of one closed hour: of each shard so many, in the order in which shards flush by turns. */
async function flushed(d1: FaultyD1, shards: number, files: number, bytes = 100): Promise<void> {
  const rows = Array.from({ length: shards * files }, (_, n) => ({
    file: `bronze/weather/event_date=2026-11-21/${n % shards}-i-${Math.floor(n / shards)}.parquet`,
    shard: n % shards,
    at: new Date(START - 50 * MINUTE + n).toISOString(),
  }));
  d1.rows(
    `INSERT INTO bronze_files (file, topic, shard, shard_of, incarnation, seq, rows, bytes, min_received, max_received, registered_at)
     SELECT value ->> 'file', 'weather', value ->> 'shard', ?2, 'i', 1, 10, ?3, '', '', value ->> 'at' FROM json_each(?1) RETURNING 1`,
    JSON.stringify(rows),
    shards,
    bytes,
  );
}

/** Runs until nothing is left to do now; how many compactions each run queued, and how the last one ended. */
async function runs(d1: FaultyD1, now = START + 10 * MINUTE) {
  const queued: number[] = [];
  let cursor: string | null = null;
  for (let run = 0; run < 20; run++) {
    const report = await planCompaction(
      {
        db: d1.binding,
        builds: { sendBatch: async () => {} },
        policy: COMPACTION_POLICY,
        now: () => now,
        log: () => {},
      },
      cursor,
    );
    queued.push(report.queued);
    cursor = report.cursor ?? null;
    if (report.more !== "now") return { queued, more: report.more };
  }
  throw new Error("the runs never end");
}

test("an hour of more shards than one run reads files of is planned whole", async () => {
  const d1 = new FaultyD1(() => START);
  await flushed(d1, 250, 40);
  expect(await runs(d1)).toEqual({ queued: [100, 100, 50], more: undefined });
  expect(d1.rows("SELECT count(*) AS n FROM compactions")).toEqual([{ n: 250 }]);
});

test("files that no compaction takes keep no others from theirs", async () => {
  const d1 = new FaultyD1(() => START);
  // Eight together, and each half of them as large as a compaction may be.
  await flushed(d1, 700, 8, 3_900_000);
  d1.rows(
    "UPDATE bronze_files SET topic = 'orders', file = replace(file, 'weather', 'orders'), shard_of = 4096 RETURNING 1",
  );
  await flushed(d1, 3, 40);
  expect((await runs(d1)).queued.reduce((sum, n) => sum + n, 0)).toBe(3);
});

test("what waits for the builds queue is bounded; the rest waits for it, and says so", async () => {
  const d1 = new FaultyD1(() => START);
  await flushed(d1, 600, 8);
  expect(await runs(d1)).toEqual({ queued: [100, 100, 100, 100, 100, 0], more: "later" });
  d1.rows(
    "UPDATE compactions SET status = 'DROPPED' WHERE file IN (SELECT file FROM compactions LIMIT 100) RETURNING 1",
  );
  // What was dropped does not come again, and keeps no others from their turn.
  expect(await runs(d1)).toEqual({ queued: [100], more: undefined });
});
