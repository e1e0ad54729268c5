/** Buffers whose alarm is lost, which fall far behind, or which hold what cannot be written. */

import { v7 as uuidv7 } from "uuid";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { hourOfReception } from "../../durable-objects/topic-buffer/set-aside.ts";
import { metadataOf } from "../../lakehouse/upkeep/parked/parked-message.ts";
import { decodeMessage, encodeFrame } from "../../schemas/packed-block.ts";
import { parkedSliceKey, registerParkedSlice } from "../../sql/statements/parked-slices.ts";
import { weatherMessage } from "../oracle/weather.ts";
import { order } from "./events.ts";
import { bronzeRows, startTestPlatform, type TestPlatform } from "./harness.ts";

let at: TestPlatform;
beforeAll(async () => {
  at = await startTestPlatform({ faults: true, vars: { BACK_PRESSURE_BYTES: "20000" } });
});
afterEach(() => at.arm({}));
afterAll(() => at.close());

const ORDERS = "SELECT event_id, count(*)::INT AS n FROM bronze_orders GROUP BY event_id ORDER BY event_id";

test("an alarm that is lost: the watchdog finds the buffer, and its events are in bronze", async () => {
  await at.arm({ "TopicBuffer.alarm": { always: true } });
  const events = [order("alarm-1"), order("alarm-2")];
  expect((await at.post("orders", JSON.stringify(events))).status).toBe(202);
  await expect
    .poll(() => at.logs.filter((line) => line === "ALARM LOST").length, { timeout: 30_000 })
    .toBeGreaterThan(0);
  await at.arm({});
  await at.until("the orders in bronze", async () => (await bronzeRows(at.platform, "orders")) >= events.length);
  expect(await at.rows(ORDERS)).toEqual([
    { event_id: "alarm-1", n: 1 },
    { event_id: "alarm-2", n: 1 },
  ]);
  const { results } = await at.platform.db
    .prepare(
      "SELECT oldest_unflushed, buffered_bytes, last_flush_at IS NULL AS silent FROM shards WHERE topic = 'orders'",
    )
    .all();
  for (const row of results) expect(row).toEqual({ oldest_unflushed: null, buffered_bytes: 0, silent: 0 });
});

test("buffers are reset while they write: the isolate goes on, and their events are in bronze once", async () => {
  const before = await bronzeRows(at.platform, "orders");
  // A first alarm freezes before it writes, a later one of the same object goes on with the write.
  const aborts = [22, 22, 6, 6].map((step, n) => ({ call: n + 1, step }));
  await at.arm({ "TopicBuffer.alarm": { aborts } });
  const ids = Array.from({ length: 20 }, (_, n) => `reset-${n + 10}`);
  expect((await at.post("orders", JSON.stringify(ids.map((id) => order(id))))).status).toBe(202);
  await at.until("the orders in bronze", async () => (await bronzeRows(at.platform, "orders")) >= before + ids.length);
  expect(at.logs.filter((line) => line === "FAULT TopicBuffer.alarm abort").length).toBeGreaterThan(1);
  const rows = (await at.rows(ORDERS)).filter(({ event_id }) => ids.includes(String(event_id)));
  expect(rows).toEqual(ids.map((event_id) => ({ event_id, n: 1 })));
});

test("R2 fails for long: the topic answers 503 before anything is lost, and takes events again when it is written", async () => {
  await at.arm({ "LAKE.put": { always: true } });
  const accepted: string[] = [];
  let batch = 0;
  let refusal: Awaited<ReturnType<typeof at.post>> | undefined;
  await at.until(
    "503",
    async () => {
      const events = Array.from({ length: 40 }, (_, i) => order(`behind-${batch}-${i}`));
      batch++;
      const answer = await at.post("orders", JSON.stringify(events));
      if (answer.status === 202) accepted.push(...events.map((event) => String(event["event_id"])));
      else refusal = answer;
      // The gateway asks every five seconds whom it should hold off.
      await at.passTime(5_000);
      return refusal !== undefined;
    },
    { ticksMayFail: true },
  );
  expect(refusal).toMatchObject({ status: 503, json: { code: "BACK_PRESSURE" } });
  expect(Number(refusal?.headers.get("retry-after"))).toBeGreaterThan(0);
  expect(accepted.length).toBeGreaterThan(40);
  // A dry run stores nothing and passes.
  expect((await at.post("orders", JSON.stringify(order("dry")), { query: "?dry_run=true" })).status).toBe(202);

  await at.arm({});
  // Whoever failed again and again waits before the next try.
  await at.passTime(300_000);
  const expected = [...accepted].sort().map((event_id) => ({ event_id, n: 1 }));
  let rows: Record<string, unknown>[] = [];
  await at.until("all accepted orders in bronze", async () => {
    rows = (await at.rows(ORDERS)).filter(({ event_id }) => String(event_id).startsWith("behind-"));
    return rows.length >= expected.length;
  });
  expect(rows).toEqual(expected);
  await at.until("202 again", async () => {
    await at.passTime(5_000);
    return (await at.post("orders", JSON.stringify(order("again")))).status === 202;
  });
  expect(at.logs.some((line) => line.includes('"postponed":') && !line.includes('"postponed":0'))).toBe(true);
  // Nothing was parked on the way.
  expect((await at.platform.lake.list({ prefix: "parked/" })).objects).toEqual([]);
});

test("a slice whose bytes are no events is parked whole, and the rest of its shard goes on", async () => {
  const now = Date.now();
  const message = (name: string) =>
    weatherMessage({
      messageId: uuidv7(),
      received: now * 1_000,
      events: [1, 2, 3].map((n) => ({ eventId: `${name}-${n}`, at: now * 1_000 })),
    });
  const bad = message("bad");
  bad.fill(0xff, bad.byteLength - 40);
  const { header } = decodeMessage(bad);
  const frame = encodeFrame(decodeMessage(bad), 0);
  for (const body of [message("before"), bad, message("after")]) {
    await fetch(`${at.platform.url}/__send?topic=weather`, { method: "POST", body: new Uint8Array(body) });
  }
  await at.until("the good readings in bronze", async () => (await bronzeRows(at.platform, "weather")) >= 6);
  const ids = await at.rows("SELECT event_id FROM bronze_weather ORDER BY event_id");
  expect(ids.map(({ event_id }) => event_id)).toEqual(
    ["after", "before"].flatMap((name) => [1, 2, 3].map((n) => `${name}-${n}`)),
  );

  const key = `parked/slices/weather/${header.message_id}-0-1`;
  const parked = await at.platform.lake.get(key);
  expect(new Uint8Array((await parked?.arrayBuffer()) ?? new ArrayBuffer())).toEqual(frame);
  expect(parked?.customMetadata).toMatchObject({ cause: "data", events: "3" });
  const { results } = await at.platform.db
    .prepare("SELECT key, topic, events, cause, redriven_at FROM parked_slices")
    .all();
  expect(results).toEqual([{ key, topic: "weather", events: 3, cause: "data", redriven_at: null }]);
  // appended = bronze + parked
  const appended = await at.platform.db
    .prepare("SELECT sum(events) AS events FROM ledger WHERE topic = 'weather'")
    .first<number>("events");
  expect(appended).toBe(6 + 3);
  expect(at.errors.some((line) => line.includes("slice_parked"))).toBe(true);

  // The trace of its events says where they are.
  expect((await at.get("/v1/events/bad-1?topic=weather")).json).toMatchObject({
    state: "parked",
    parked: [{ parked_id: key.slice("parked/".length), kind: "slice", event_index: null, cause: "data" }],
  });
});

test("a parked slice stays while no deploy can decode it; one that this deploy can is in bronze once, and counted once", async () => {
  const before = await bronzeRows(at.platform, "weather");
  const retry = async (id: string) => {
    const response = await fetch(`${at.platform.url}/v1/parked/retry`, {
      method: "POST",
      headers: { authorization: `Bearer ${at.platform.apiKey}`, "content-type": "application/json" },
      body: JSON.stringify({ ids: [id] }),
    });
    const { results } = z
      .object({ results: z.array(z.looseObject({ outcome: z.string() })) })
      .parse(await response.json());
    return results[0];
  };
  const parked = (await at.get("/v1/parked?queue=slices")).json.parked;
  expect(parked).toMatchObject([{ kind: "slice", topic: "weather", events: 3, cause: "data" }]);
  const bad = parked[0].id;
  expect((await at.get(`/v1/parked/item?id=${bad}`)).json).toMatchObject({ problem: expect.stringMatching(/decode/) });
  expect(await retry(bad)).toMatchObject({ outcome: "kept", detail: expect.stringMatching(/decode/) });

  // As an earlier deploy set it aside, which had a fault: its buffer knows the message and has counted it.
  const now = Date.now();
  const messageId = uuidv7();
  const events = [1, 2].map((n) => ({ eventId: `mended-${n}`, at: now * 1_000 }));
  const message = decodeMessage(weatherMessage({ messageId, received: now * 1_000, events }));
  const shard = { topic: "weather", shard: 0, shardOf: 1 };
  const slice = {
    messageId,
    hour: hourOfReception(now * 1_000),
    events: 2,
    cause: "data" as const,
    detail: "d",
    bytes: 1,
  };
  const key = parkedSliceKey(shard, slice);
  const customMetadata = metadataOf({ cause: "data", detail: "d", attempts: 0, sent: "" });
  await at.platform.lake.put(key, new Uint8Array(encodeFrame(message, 0)), { customMetadata });
  await registerParkedSlice(at.platform.db, shard, slice, new Date(now).toISOString()).run();
  const accepted = async () =>
    at.platform.db.prepare("SELECT sum(events) AS events FROM ledger WHERE topic = 'weather'").first<number>("events");
  const counted = await accepted();

  const id = key.slice("parked/".length);
  expect(await retry(id)).toMatchObject({ outcome: "sent", events: 2 });
  expect(await retry(id)).toMatchObject({ outcome: "not_found" });
  await at.until("its readings in bronze", async () => (await bronzeRows(at.platform, "weather")) >= before + 2);
  expect(await at.rows("SELECT event_id FROM bronze_weather WHERE event_id LIKE 'mended-%' ORDER BY ALL")).toEqual([
    { event_id: "mended-1" },
    { event_id: "mended-2" },
  ]);
  expect(await accepted()).toBe(counted);
  const { results } = await at.platform.db.prepare("SELECT key FROM parked_slices WHERE redriven_at IS NULL").all();
  expect(results).toEqual([{ key: `parked/${bad}` }]);
});
