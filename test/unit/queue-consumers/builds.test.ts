/** The consumer of the builds queue: what it takes of a message, and when it says that it is done with it. */
import { beforeAll, expect, test } from "vitest";
import { STEP_ROWS, stepRowsOf } from "../../../lakehouse/builds/outcome.ts";
import { consumeBuilds } from "../../../queue-consumers/builds.ts";
import { busyDelay } from "../../../queue-consumers/wasm-wait.ts";
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
  const deliver = async (body: unknown, db = lake.d1.binding) => {
    const logs: Readonly<Record<string, unknown>>[] = [];
    const { batch, said } = batchOf("sluice-local-builds", [body]);
    await consumeBuilds(batch, {
      ...{ db, bucket: lake.bucket, newRunId: () => `run-${++runs}`, now: () => lake.now },
      replan: async () => {},
      log: (event) => void logs.push(event),
    });
    return [said()[0], logs[0]];
  };
  return { lake, request, deliver };
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
    ...[STEP_ROWS, 500, 1, STEP_ROWS],
    ...[STEP_ROWS, STEP_ROWS, STEP_ROWS],
  ]);
});

test("a message that finds parquet-wasm taken comes back later and later, after five seconds at most", () => {
  expect([1, 2, 3, 4, 5, 90].map(busyDelay)).toEqual([1, 2, 4, 5, 5, 5]);
});
