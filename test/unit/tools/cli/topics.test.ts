import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Unflushed } from "../../../../durable-objects/stubs.ts";
import { publishLedger } from "../../../../sql/statements/bronze.ts";
import { listShard } from "../../../../sql/statements/shards.ts";
import { duration } from "../../../../tools/cli/topics/describe.ts";
import { command } from "../../../../tools/cli/topics.ts";
import { addKey, createHarness, type Harness, keyNamed, NOW, order } from "../../gateway/harness.ts";
import { land } from "../../gateway/land.ts";
import { printedBy } from "./printed-by.ts";

let harness: Harness;
let waiting: Unflushed;
beforeEach(() => {
  waiting = { events: 0, oldestAppended: null };
  harness = createHarness({
    unflushed: ({ topic }) => (topic === "orders" ? waiting : { events: 0, oldestAppended: null }),
  });
  vi.stubGlobal("fetch", (url: URL, init: RequestInit) => harness.bare(`${url.pathname}${url.search}`, init));
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

const run = (line: string) => printedBy(command, line);

async function appended(): Promise<void> {
  const { d1 } = harness.db;
  const shard = { topic: "orders", shard: 0, shardOf: 2 };
  const lines = [
    { hour: "2026-11-21T11:00:00Z", detail: "", events: 40 },
    { hour: "2026-11-21T12:00:00Z", detail: "", events: 2 },
  ];
  const letters = [{ hour: "2026-11-21T12:00:00Z", detail: "orders|INVALID_ENUM", events: 3 }];
  await d1.batch([
    listShard(d1, shard, "2026-11-21T11:00:00Z"),
    publishLedger(d1, { ...shard, incarnation: "i" }, lines),
    publishLedger(d1, { ...shard, topic: "dead_letters", incarnation: "i" }, letters),
  ]);
  waiting = { events: 7, oldestAppended: NOW - 9_000 };
}

describe("sluice topics peek", () => {
  const times = ["2026-11-21T11:59:00.000Z", "2026-11-21T13:59:00+02:00"];

  test("prints the newest events as they were sent, of as many files as it takes", async () => {
    const sent = times.map((event_timestamp, i) => order(`e-${i}`, { event_timestamp, campaign: { id: i } }));
    for (const event of sent) {
      await harness.post("/v1/topics/orders/events", [event]);
      await land(harness);
      harness.clock.advance(60_000);
    }
    const lines = (await run("peek orders")).split("\n").map((line) => JSON.parse(line));
    expect(lines).toEqual(sent.toReversed());
    expect((await run("peek orders --limit 1")).split("\n")).toHaveLength(1);
    const after = new Date(NOW + 30_000).toISOString();
    const [only, ...others] = JSON.parse(await run(`peek orders --json --from ${after}`));
    expect([only.event.event_id, others]).toEqual(["e-1", []]);
    expect(Date.parse(only.received)).toBe(NOW + 60_000);
    expect(await run("peek orders --from 2026-11-22")).toBe("");
    // Seven whole dates back.
    harness.clock.advance(7 * 86_400_000);
    expect((await run("peek orders")).split("\n")).toHaveLength(2);
    await expect(run("peek orders --from 2026-11-20")).rejects.toThrow(/from: orders .* back to 2026-11-21T00:00:00/);
    harness.clock.advance(86_400_000);
    expect(await run("peek orders")).toBe("");
  });

  test("does not look into retired files, and masked fields stay masked", async () => {
    const email = "ann@clear.example";
    const example: unknown = await (await harness.request("/v1/contracts/users/example")).json();
    await harness.post("/v1/topics/users/events", [Object.assign({}, example, { email })]);
    await land(harness);
    const shown = await run("peek users");
    expect(shown).not.toContain("ann@");
    expect(JSON.parse(shown).email).toMatch(/^sluice:/);
    harness.db.sqlite.exec("UPDATE bronze_files SET retired_by = 'retention'");
    expect(await run("peek users")).toBe("");
  });

  test("needs the topic's read scope", async () => {
    addKey(harness.db, "writer", ["orders:write", "weather:read"]);
    await expect(run(`peek orders --key ${keyNamed("writer")}`)).rejects.toThrow(/403: .*orders:read/);
    expect(await run(`peek weather --key ${keyNamed("writer")}`)).toBe("");
  });
});

test("sluice topics list and describe show contract, counts and what waits", async () => {
  await appended();
  const list: { topics: { topic: string }[] } = JSON.parse(await run("list --json"));
  const orders = { topic: "orders", accepted: 2, rejected: 3, buffered: 7, oldest_waits_s: 9 };
  expect(list.topics.find(({ topic }) => topic === "orders")).toMatchObject(orders);
  expect(await run("list --hours 2")).toMatch(/orders +\S+ +\d+ +42 +3 +7 +9/);
  harness.db.sqlite.exec(
    `INSERT INTO partition_meta (domain, partition_date, status) VALUES ('orders', '2026-11-20', 'DONE');
     INSERT INTO unknown_fields VALUES ('orders', '/note', '2026-11-21T10:00:00Z', '2026-11-21', NULL)`,
  );
  const described = await run("describe orders");
  expect(described).toMatch(/^schema versions +v1 \(\d+\), v2 \(\d+\)/m);
  expect(described).toMatch(/^partitions +1 DONE$/m);
  expect(described).toMatch(/^unknown fields +keep; \/note \(last 2026-11-21\)$/m);
  expect(await run("describe weather")).toMatch(/^unknown fields +keep; none seen$/m);
  expect(described).toMatch(/^accepted +2, rejected 3/m);
  expect(described).toMatch(/^bronze kept +for good$/m);
  expect(described).toMatch(/^replay window +7d$/m);
});

test("sluice topics lag and flush name what buffers hold", async () => {
  await appended();
  expect(await run("lag orders")).toMatch(/orders +0 +7 +9/);
  expect((await run("lag")).split("\n").length).toBeGreaterThan(5);
  addKey(harness.db, "weather", ["weather:read", "orders:write"]);
  for (const line of ["lag", "list"]) {
    const own = await run(`${line} --key ${keyNamed("weather")}`);
    expect([own.includes("weather"), own.includes("orders")]).toEqual([true, false]);
  }
  expect(await run("flush orders")).toMatch(/shard 0 of 2: 7 events.*\n7 events are on their way/);
  expect(await run("flush weather")).toMatch(/Nothing to flush/);
  addKey(harness.db, "reader", ["*:read"]);
  await expect(run(`flush orders --key ${keyNamed("reader")}`)).rejects.toThrow(/403: .*orders:admin/);
});

test("wrong usage is named", async () => {
  for (const line of ["", "peek", "list orders", "lag a b", "create x", "peek orders --limit 0"]) {
    await expect(run(line)).rejects.toThrow(/sluice topics|--limit|unknown|Unexpected/);
  }
  for (const line of ["list --from 2026-01-31", "flush orders --hours 3", "describe orders --limit 2"]) {
    await expect(run(line)).rejects.toThrow(/^sluice topics \w+ has no --/);
  }
});

test("durations are told in the largest unit that fits", () => {
  expect([604_800_000, 90_000, 3_600_000, 1_500].map(duration)).toEqual(["7d", "90s", "1h", "1500ms"]);
});
