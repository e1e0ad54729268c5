/** The consumer of the builds queue: what it takes of a message, and when it says that it is done with it. */
import { beforeAll, expect, test } from "vitest";
import { STEP_ROWS, stepRowsOf, usualStepRows } from "../../../lakehouse/builds/outcome.ts";
import { tableByName } from "../../../lakehouse/tables/catalog.ts";
import { planTableCompaction } from "../../../lakehouse/upkeep/table-compaction/schedule.ts";
import { consumeBuilds } from "../../../queue-consumers/builds.ts";
import { busyDelay } from "../../../queue-consumers/with-wasm.ts";
import { loadParquetWasm } from "../../../tools/build/parquet-wasm-node.ts";
import { uuidAt } from "../../oracle/frames.ts";
import { Lake } from "../../oracle/lake.ts";
import { weatherMessage } from "../../oracle/weather.ts";
import { batchOf } from "./batch.ts";

const NOON = Date.UTC(2026, 10, 21, 12);
const DATE = "2026-11-21";

beforeAll(() => loadParquetWasm());

/** A lake with one reading whose build waits; `deliver` gives what was said to a message and what was logged. */
async function lakeWithNews() {
  const lake = new Lake(NOON);
  const events = [{ eventId: "a", at: (NOON - 60_000) * 1_000 }];
  await lake.land("weather", [weatherMessage({ messageId: uuidAt(NOON, 1), received: NOON * 1_000, events })]);
  const [request] = (await lake.plan()).filter(({ domain }) => domain === "weather");
  let runs = 0;
  /** Messages that were sent. */
  const asked: unknown[] = [];
  const deliver = async (body: unknown, db = lake.d1.binding) => {
    const logs: Readonly<Record<string, unknown>>[] = [];
    const { batch, said } = batchOf("sluice-local-builds", [body]);
    await consumeBuilds(batch, {
      ...{ db, bucket: lake.bucket, newRunId: () => `run-${++runs}`, now: () => lake.now },
      builds: { sendBatch: async (sent) => void asked.push(...sent.map(({ body: each }) => each)) },
      replan: async () => {},
      log: (event) => void logs.push(event),
    });
    return [said()[0], logs[0]];
  };
  return { lake, request, deliver, asked };
}

test("a builder that could tell nobody of its end leaves its message to the next, which takes over", async () => {
  const { lake, request, deliver } = await lakeWithNews();
  // It takes the lease, and D1 is gone from then on.
  let calls = 0;
  lake.d1.around = async (work) => {
    calls++;
    if (calls > 2) throw new Error("D1 is down");
    return work();
  };
  expect(await deliver(request)).toEqual([{ retry: 5 }, expect.objectContaining({ outcome: "retry" })]);
  lake.d1.around = (work) => work();
  expect(await deliver({ domain: "weather", date: DATE, nonce: "another" })).toEqual([
    "ack",
    expect.objectContaining({ outcome: "not_needed" }),
  ]);
  expect(await deliver(request)).toEqual(["ack", expect.objectContaining({ outcome: "committed", vanished: 1 })]);
});

test("a message of an older version, without a nonce, is built as well; what is no build message is let go", async () => {
  const { deliver } = await lakeWithNews();
  for (const body of [{ domain: "weather", date: DATE, nonce: 7 }, { domain: "weather" }, { domain: "no", date: DATE }])
    expect(await deliver(body)).toEqual(["ack", expect.objectContaining({ outcome: "unknown_table" })]);
  expect(await deliver({ domain: "weather", date: DATE })).toEqual([
    "ack",
    expect.objectContaining({ outcome: "committed" }),
  ]);
});

test("BUILD_STEP_ROWS makes steps smaller, never larger; what is no number of rows is the usual", () => {
  expect(["0", "500", "0.5", "999999999", "", "x", "-1"].map(stepRowsOf)).toEqual([
    ...[undefined, 500, 1, STEP_ROWS],
    ...[undefined, undefined, undefined],
  ]);
});

test("a step of a model that groups is longer: each loads and saves a partial result, and a row costs little", () => {
  const rowsOf = (name: string) => {
    const table = tableByName(name);
    return table === undefined ? undefined : usualStepRows(table);
  };
  expect(["silver_orders", "daily_order_revenue"].map(rowsOf)).toEqual([STEP_ROWS, 500_000]);
});

test("a message that finds parquet-wasm taken comes back later and later, after five seconds at most", () => {
  expect([1, 2, 3, 4, 5, 90].map(busyDelay)).toEqual([1, 2, 4, 5, 5, 5]);
});

test("a message of the cron has a closed date's small files put together, one that fails is let go", async () => {
  const { lake, request, deliver, asked } = await lakeWithNews();
  await deliver(request);
  for (let n = 0; n < 5; n++) {
    const events = [{ eventId: `b${n}`, at: (NOON - 60_000) * 1_000 }];
    await lake.land("weather", [weatherMessage({ messageId: uuidAt(NOON, 2 + n), received: NOON * 1_000, events })]);
    const [next] = (await lake.plan()).filter(({ domain }) => domain === "weather");
    await deliver(next);
  }
  const plan = async () => {
    const { bucket } = lake;
    const builds = { sendBatch: async (sent: { body: unknown }[]) => void asked.push(...sent.map(({ body }) => body)) };
    return planTableCompaction({ db: lake.d1.binding, bucket, builds }, lake.now, null);
  };
  expect(await plan()).toEqual({ queued: 0 });
  lake.now += 2 * 86_400_000;
  expect(await plan()).toEqual({ queued: 1 });
  expect(asked).toEqual([{ kind: "table_compaction", domain: "weather", date: DATE }]);
  // Of files that are not what the catalog says nothing is made.
  lake.d1.rows("UPDATE data_files SET rows = 2 WHERE table_name = 'silver_weather' AND added = 1");
  expect(await deliver(asked[0])).toEqual(["ack", expect.objectContaining({ outcome: "failed" })]);
  lake.d1.rows("UPDATE data_files SET rows = 1 WHERE table_name = 'silver_weather'");
  expect(await deliver(asked[0])).toEqual([
    "ack",
    expect.objectContaining({ event: "table_compaction", outcome: "committed", files: 6, into: 1, more: false }),
  ]);
  expect(await deliver(asked[0])).toEqual(["ack", expect.objectContaining({ outcome: "not_needed" })]);
  expect(await plan()).toEqual({ queued: 0 });
  expect(asked).toHaveLength(1);
});
