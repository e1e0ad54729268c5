import { afterAll, beforeAll, expect, test } from "vitest";
import { order } from "./events.ts";
import { bronzeRows, startTestPlatform, type TestPlatform } from "./harness.ts";

let at: TestPlatform;
beforeAll(async () => {
  at = await startTestPlatform({ faults: true });
});
afterAll(() => at.close());

/** About 300 bytes of Avro each: 600 of them make several messages. */
function manyOrders(run: string, count: number) {
  const items = Array.from({ length: 6 }, (_, i) => ({
    sku: `sku-${i}`,
    name: `A dish with a rather long name, number ${i}`,
    quantity: 1,
    unit_price: 1,
  }));
  return Array.from({ length: count }, (_, i) => order(`${run}-${i}`, { items, amount: 6 }));
}

test("a failure at every send in turn: its events are `retry`, sent again they are stored, and no event is stored twice", async () => {
  const acceptedIds: string[] = [];
  const events = manyOrders("every", 600);
  let sends = 0;
  for (let failing = 1; ; failing++) {
    await at.arm({ "TOPIC_ORDERS.send": { fail: [failing] } });
    const round = events.map((event) => ({ ...event, event_id: `${event["event_id"]}-${failing}` }));
    const answer = await at.post("orders", JSON.stringify(round));
    const { accepted, retry, results } = answer.json;
    expect(accepted + retry).toBe(round.length);
    const again = new Set<number>(results.map((result: { index: number }) => result.index));
    expect(results.every((result: { status: string; code: string }) => result.status === "retry")).toBe(true);
    acceptedIds.push(...round.filter((_, i) => !again.has(i)).map((event) => String(event.event_id)));
    if (retry === 0) {
      expect(answer.status).toBe(202);
      sends = failing - 1;
      break;
    }
    expect([207, 503]).toContain(answer.status);
    expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
    const resent = await at.post("orders", JSON.stringify(round.filter((_, i) => again.has(i))));
    expect(resent.status).toBe(202);
    acceptedIds.push(...round.filter((_, i) => again.has(i)).map((event) => String(event.event_id)));
  }
  expect(sends).toBeGreaterThan(2);
  await at.until(
    "all accepted orders in bronze",
    async () => (await bronzeRows(at.platform, "orders")) >= acceptedIds.length,
  );
  const rows = await at.rows("SELECT event_id, count(*) AS n FROM bronze_orders GROUP BY event_id");
  expect(rows.map((row) => row["event_id"]).sort()).toEqual([...acceptedIds].sort());
  expect(rows.every((row) => row["n"] === "1")).toBe(true);
});

test("all sends failing is 503, and nothing was stored", async () => {
  await at.arm({ "TOPIC_ORDERS.send": { always: true } });
  const answer = await at.post("orders", JSON.stringify([order("none-1"), order("none-2")]));
  expect(answer.status).toBe(503);
  expect(answer.headers.get("retry-after")).toBeTruthy();
  await at.arm({});
  const rows = await at.rows("SELECT 1 FROM bronze_orders WHERE event_id LIKE 'none-%'");
  expect(rows).toEqual([]);
});

test("a dead letter that could not be sent makes its event `retry`, not rejected; the good event beside it is stored", async () => {
  await at.arm({ "TOPIC_DEAD_LETTERS.send": { always: true } });
  const answer = await at.post("orders", JSON.stringify([order("dl-good"), order("dl-bad", { currency: "XXX" })]));
  expect(answer.status).toBe(207);
  expect(answer.json).toMatchObject({ accepted: 1, rejected: 0, retry: 1 });
  expect(answer.json.results[0]).toMatchObject({ index: 1, status: "retry" });
  await at.arm({});
});

test("a send whose answer was lost: the events are `retry` and may land; resent, silver has each once", async () => {
  await at.arm({ "TOPIC_ORDERS.send": { lose: [1] } });
  const event = order("lost-answer");
  const answer = await at.post("orders", JSON.stringify(event));
  expect(answer.status).toBe(503);
  await at.arm({});
  expect((await at.post("orders", JSON.stringify(event))).status).toBe(202);
  await at.until("the order in silver", async () => {
    const published = await at.platform.db
      .prepare("SELECT count(*) AS n FROM published WHERE table_name = 'silver_orders'")
      .first<number>("n");
    if (published === 0) return false;
    const rows = await at.rows("SELECT event_id FROM silver_orders WHERE event_id = 'lost-answer'");
    const copies = await at.rows("SELECT event_id FROM bronze_orders WHERE event_id = 'lost-answer'");
    return rows.length === 1 && copies.length === 2;
  });
});

test("R2 and D1 failing while a buffer flushes: nothing is lost or doubled", async () => {
  await at.arm({ "LAKE.put": { fail: [1], lose: [2] }, "DB.batch": { fail: [1], lose: [2] } });
  const events = manyOrders("flush", 50);
  expect((await at.post("orders", JSON.stringify(events))).status).toBe(202);
  // No cron beside it, which would run into the faults of D1 that are meant for the flush.
  const found = async () => {
    // Each failure is followed by a wait.
    await at.passTime(1_000);
    const rows = await at.rows("SELECT count(*) AS n FROM bronze_orders WHERE event_id LIKE 'flush-%'");
    return Number(rows[0]?.["n"]);
  };
  await expect.poll(found, { timeout: 60_000, interval: 500 }).toBeGreaterThanOrEqual(events.length);
  await at.arm({});
  const rows = await at.rows(
    "SELECT event_id, count(*) AS n FROM bronze_orders WHERE event_id LIKE 'flush-%' GROUP BY event_id",
  );
  expect(rows).toHaveLength(events.length);
  expect(rows.every((row) => row["n"] === "1")).toBe(true);
});

test("an event that waits in its buffer is found there; when it is in bronze, it is found there", async () => {
  await at.arm({ "LAKE.put": { always: true } });
  expect((await at.post("orders", JSON.stringify(order("waits")))).status).toBe(202);
  const trace = () => at.get("/v1/events/waits?topic=orders");
  await at.until("the event in its buffer", async () => (await trace()).status === 200, { ticksMayFail: true });
  const waiting = await trace();
  expect(waiting.json).toMatchObject({ state: "buffered", copies: [], dead_letters: [] });
  expect(waiting.json.buffered).toMatchObject([{ topic: "orders", shard_of: 2, event_index: 0 }]);
  await at.arm({});
  await at.passTime(60_000);
  await at.until("the event in silver", async () => (await trace()).json.state === "silver");
  const { copies, buffered } = (await trace()).json;
  expect(copies).toMatchObject([{ message_id: waiting.json.buffered[0].message_id, silver: "kept" }]);
  expect(buffered).toEqual([]);
});

test("of all the sends that failed, the ledger suspects no loss: later messages say which numbers were not sent", async () => {
  await at.arm({ "TOPIC_ORDERS.send": { fail: [1] } });
  expect((await at.post("orders", JSON.stringify(order("fails")))).status).toBe(503);
  await at.arm({});
  expect((await at.post("orders", JSON.stringify(order("tells")))).status).toBe(202);
  await at.until("the order in bronze", async () => {
    const rows = await at.rows("SELECT 1 FROM bronze_orders WHERE event_id = 'tells'");
    return rows.length === 1;
  });
  const told = await at.platform.db
    .prepare(
      "SELECT count(*) AS n FROM ledger_arrivals, json_each(instances) WHERE topic = 'orders' AND value -> 3 IS NOT NULL",
    )
    .first<number>("n");
  expect(told).toBeGreaterThan(0);
  const { messages } = (await at.get("/v1/ledger?topic=orders")).json;
  expect(messages).toMatchObject([{ topic: "orders", in_flight: 0, suspected_lost: 0 }]);
});
