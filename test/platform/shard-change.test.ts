/** A deploy with another shard count, while messages of the old one are under way: what was sent before and after is there once. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { contractOf } from "../../contracts/registry.ts";
import { FOUR_SHARDS_ENTRY } from "./bundles.ts";
import { order } from "./events.ts";
import { allBuilt, bronzeRows, startTestPlatform, type TestPlatform } from "./harness.ts";

const folder = mkdtempSync(join(tmpdir(), "sluice-shards-"));
const stateDir = join(folder, "state");
let at: TestPlatform | undefined;
afterAll(async () => {
  await at?.close();
  rmSync(folder, { recursive: true, force: true });
});

const orders = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => order(`o-${from + i}`));

test("old messages drain into old objects, new ones into new, and silver finds the copies across the change", async () => {
  expect(contractOf("orders")?.shards).toBe(2);
  const before = await startTestPlatform({ stateDir });
  for (const [from, to] of [
    [0, 20],
    [20, 40],
  ] as const) {
    expect((await before.post("orders", JSON.stringify(orders(from, to)))).status).toBe(202);
  }
  // Some of it is in the queue, some in buffers: nobody waits for it.
  await before.close();

  at = await startTestPlatform({ stateDir, entry: FOUR_SHARDS_ENTRY });
  const { platform } = at;
  expect((await at.post("orders", JSON.stringify(orders(30, 60)))).status).toBe(202);
  await at.until("all orders in bronze", async () => (await bronzeRows(platform, "orders")) >= 70);
  await at.until("everything built", () => allBuilt(platform));

  expect(await bronzeRows(platform, "orders")).toBe(70);
  const rows = "SELECT count(*)::INT AS rows, count(DISTINCT event_id)::INT AS events FROM silver_orders";
  expect(await at.rows(rows)).toEqual([{ rows: 60, events: 60 }]);
  expect(
    await at.rows("SELECT sum(events)::INT AS n FROM silver_ledger WHERE topic = 'orders' AND term = 'duplicate'"),
  ).toEqual([{ n: 10 }]);

  const { results } = await platform.db
    .prepare(
      "SELECT shard_of, count(DISTINCT shard) AS shards, sum(rows) AS rows FROM bronze_files WHERE topic = 'orders' GROUP BY shard_of ORDER BY shard_of",
    )
    .all();
  expect(results).toEqual([
    { shard_of: 2, shards: 2, rows: 40 },
    { shard_of: 4, shards: 4, rows: 30 },
  ]);
  // The old shards are empty, and walked until no message can come to them any more.
  const listed = await platform.db
    .prepare(
      "SELECT shard_of, count(*) AS n, sum(buffered_rows) AS waiting, count(retired_at) AS retired FROM shards WHERE topic = 'orders' GROUP BY shard_of",
    )
    .all();
  expect(listed.results).toEqual([
    { shard_of: 2, n: 2, waiting: 0, retired: 0 },
    { shard_of: 4, n: 4, waiting: 0, retired: 0 },
  ]);
  expect(at.errors).toEqual([]);
});
