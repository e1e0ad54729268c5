import { expect, test } from "vitest";
import { publishLedger } from "../../../sql/statements/bronze.ts";
import { listShard } from "../../../sql/statements/shards.ts";
import { registerFiles } from "../../oracle/register.ts";
import { createHarness, NOW } from "./harness.ts";

const at = (secondsAgo: number) => new Date(NOW - secondsAgo * 1_000).toISOString();

test("counts rows of live files with events received since then, and what buffers appended since that hour", async () => {
  const harness = createHarness();
  const { d1, sqlite } = harness.db;
  const files = [
    { file: "old", topic: "orders", rows: 1, received: [300, 200], registered: 190 },
    { file: "mixed", topic: "orders", rows: 10, received: [150, 60], registered: 50 },
    { file: "new", topic: "orders", rows: 100, received: [40, 30], registered: 20 },
    { file: "retired", topic: "orders", rows: 1_000, received: [40, 30], registered: 20 },
    { file: "other", topic: "weather", rows: 10_000, received: [40, 30], registered: 20 },
  ] as const;
  for (const [seq, { file, topic, rows, received, registered }] of files.entries()) {
    const [minReceived, maxReceived] = [at(received[0]), at(received[1])];
    const place = { file, topic, shard: 0, shardOf: 2, incarnation: "i", seq, bytes: 1, dates: [] };
    await d1.batch(registerFiles(d1, [{ ...place, rows, minReceived, maxReceived }], at(registered)));
  }
  sqlite.exec("UPDATE bronze_files SET retired_by = 'x' WHERE file = 'retired'");
  const shard = { topic: "orders", shard: 0, shardOf: 2, incarnation: "i" };
  const lines = [
    { hour: "2026-11-21T10:00:00Z", detail: "", events: 5 },
    { hour: "2026-11-21T11:00:00Z", detail: "", events: 6 },
    { hour: "2026-11-21T12:00:00Z", detail: "", events: 7 },
  ];
  await d1.batch([publishLedger(d1, shard, lines)]);

  const since = at(100);
  const response = await harness.request(`/v1/topics/orders/lag?since=${since}`);
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({
    topic: "orders",
    as_of: at(0),
    since,
    appended: { from_hour: "2026-11-21T11:00:00Z", events: 13 },
    bronze: { rows: 110, files: 2, newest_received: at(30) },
  });
  const day = await (await harness.request("/v1/topics/orders/lag")).json();
  expect(day).toMatchObject({ since: at(86_400), bronze: { rows: 111, files: 3 } });
});

test("waiting=true asks the queue and the buffer of every shard that was ever addressed", async () => {
  const oldest: Record<string, number | null> = { "0/2": NOW - 5_000, "1/2": null, "0/1": NOW - 9_000 };
  const harness = createHarness({
    backlog: () => ({ messages: 3, oldestSent: NOW - 2_000 }),
    unflushed: ({ topic, shard, of }) => {
      const oldestAppended = oldest[`${shard}/${of}`] ?? null;
      return { events: topic === "orders" && oldestAppended !== null ? 7 : 0, oldestAppended };
    },
  });
  const { d1 } = harness.db;
  for (const [shard, shardOf] of [
    [0, 1],
    [0, 2],
    [1, 2],
  ] as const) {
    await listShard(d1, { topic: "orders", shard, shardOf }, at(100)).run();
  }
  const response = await harness.request("/v1/topics/orders/lag?waiting=true");
  expect(await response.json()).toMatchObject({
    waiting: { queue: { messages: 3, oldest_sent: at(2) }, buffers: { events: 14, oldest_appended: at(9) } },
  });
  const empty = await (await harness.request("/v1/topics/weather/lag?waiting=true")).json();
  expect(empty).toMatchObject({ waiting: { buffers: { events: 0, oldest_appended: null } } });
});
