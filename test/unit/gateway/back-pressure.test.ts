/** Topics that are held off: who is refused, and what is remembered while the database does not answer. */
import { beforeEach, expect, test } from "vitest";
import { answer, createHarness, type Harness, NOW, order, reading } from "./harness.ts";

const ORDERS = "/v1/topics/orders/events";

let harness: Harness;
beforeEach(() => {
  harness = createHarness();
});

function holdOff(topic: string, seconds: number): void {
  const until = new Date(NOW + seconds * 1_000).toISOString();
  harness.db.sqlite
    .prepare("INSERT OR REPLACE INTO back_pressure VALUES (?, ?, 'a shard is far behind', '2026-01-01T00:00:00.000Z')")
    .run(topic, until);
}

const status = async (path = ORDERS, event: unknown = order("a")) => (await harness.post(path, [event])).status;

test("the state is read beside requests: the first goes through, then the topic is refused, and only it", async () => {
  holdOff("orders", 90);
  expect(await status()).toBe(202);
  const sent = harness.sent.length;
  const refused = await harness.post(ORDERS, [order("b")]);
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "30"]);
  const body = await answer(refused);
  expect(body).toMatchObject({ code: "BACK_PRESSURE", detail: expect.stringContaining("a shard is far behind") });
  expect(harness.sent).toHaveLength(sent);
  expect(await status("/v1/topics/weather/events", reading("w"))).toBe(202);
  expect(await status(`${ORDERS}?dry_run=true`)).toBe(202);
});

test("while only dead letters are behind, events are judged and refused as ever", async () => {
  holdOff("dead_letters", 90);
  await status();
  expect(await status()).toBe(202);
  expect(await status(ORDERS, order("bad", { currency: "XXX" }))).toBe(422);
  expect(harness.sent.at(-1)?.topic).toBe("dead_letters");
});

test("it is asked again after five seconds, and not before", async () => {
  await status();
  holdOff("orders", 90);
  harness.clock.advance(4_999);
  expect([await status(), await status()]).toEqual([202, 202]);
  harness.clock.advance(1);
  expect([await status(), await status()]).toEqual([202, 503]);
  harness.db.sqlite.exec("DELETE FROM back_pressure");
  harness.clock.advance(5_000);
  expect([await status(), await status()]).toEqual([503, 202]);
});

test("while the database is down the last known state counts, until it runs out", async () => {
  holdOff("orders", 20);
  await status();
  harness.db.setDown(true);
  harness.clock.advance(6_000);
  expect([await status(), await status()]).toEqual([503, 503]);
  expect((await harness.post(ORDERS, [order("c")])).headers.get("retry-after")).toBe("14");
  harness.clock.advance(14_000);
  expect(await status()).toBe(202);
});
