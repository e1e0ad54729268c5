import { expect, test } from "vitest";
import { COMPACTION_POLICY } from "../../../../lakehouse/compaction/plan.ts";
import { planCompaction } from "../../../../lakehouse/compaction/schedule.ts";
import { insertCompaction } from "../../../../sql/statements/compactions.ts";
import { FaultyD1 } from "../../../oracle/faulty-d1.ts";

const START = Date.UTC(2026, 10, 21, 12);
const MINUTE = 60_000;

test("a compaction that fails is tried five times in a row, then once a day", async () => {
  const { binding: db } = new FaultyD1(() => START);
  await insertCompaction(db, { file: "bronze/orders/x.parquet", topic: "orders", inputs: ["a"] }, START).run();
  const tries = [0];
  for (let minute = 10; minute <= 3 * 24 * 60; minute += 10) {
    await planCompaction({
      db,
      builds: { sendBatch: async (messages) => tries.push(...messages.map(() => minute)) },
      policy: COMPACTION_POLICY,
      now: () => START + minute * MINUTE,
      log: () => {},
    });
  }
  expect(tries).toEqual([0, 30, 60, 90, 120, 120 + 1_440, 120 + 2 * 1_440]);
});
