import { afterAll, beforeAll, expect, test } from "vitest";
import { order } from "./events.ts";
import { type Answer, bronzeRows, startTestPlatform, type TestPlatform } from "./harness.ts";

let at: TestPlatform;
beforeAll(async () => {
  at = await startTestPlatform({ faults: true });
});
afterAll(() => at.close());

/** Several messages. */
function manyOrders(run: string, count: number): string {
  const items = Array.from({ length: 6 }, (_, i) => ({
    sku: `sku-${i}`,
    name: `A dish with a rather long name, number ${i}`,
    quantity: 1,
    unit_price: 1,
  }));
  return JSON.stringify(Array.from({ length: count }, (_, i) => order(`${run}-${i}`, { items, amount: 6 })));
}

function post(body: string, key: string): Promise<Answer> {
  return at.post("orders", body, { headers: { "idempotency-key": key } });
}

/** Orders that bronze has, or will have. */
let expected = 0;

/** Waits until bronze has all events of a run, then once more for what may come late; each must be there once. */
async function expectOnceInBronze(run: string, count: number): Promise<void> {
  const arrived = async () => (await bronzeRows(at.platform, "orders")) >= expected;
  expected += count;
  await at.until(`${run} in bronze`, arrived);
  await at.arm({});
  expected++;
  expect((await at.post("orders", JSON.stringify(order(`${run}_marker`)))).status).toBe(202);
  await at.until(`${run}'s marker in bronze`, arrived);
  const rows = await at.rows(
    `SELECT event_id, count(*) AS n FROM bronze_orders WHERE event_id LIKE '${run}%' GROUP BY event_id`,
  );
  expect(rows).toHaveLength(count + 1);
  expect(rows.every((row) => row["n"] === "1")).toBe(true);
}

test("requests at once and one after another with the same key: one answer, each event once in bronze", async () => {
  const body = manyOrders("once", 600);
  const atOnce = await Promise.all(Array.from({ length: 6 }, () => post(body, "once")));
  const later = await post(body, "once");
  expect([...atOnce, later].map(({ status }) => status)).toEqual(new Array(7).fill(202));
  expect(new Set([...atOnce, later].map(({ text }) => text)).size).toBe(1);
  expect(later.headers.get("idempotent-replayed")).toBe("true");
  expect((await post(manyOrders("other", 1), "once")).status).toBe(409);
  await expectOnceInBronze("once", 600);
});

test("a failure, or a lost answer, at every send in turn: sent again with its key, each event is in bronze once", async () => {
  let total = 0;
  let failures = 0;
  for (let failing = 1; ; failing++) {
    const body = manyOrders(`turn-${failing}`, 600);
    await at.arm({ "TOPIC_ORDERS.send": failing % 2 === 0 ? { lose: [failing] } : { fail: [failing] } });
    const first = await post(body, `turn-${failing}`);
    total += 600;
    if (first.status === 202) break;
    failures++;
    expect(first.status).toBe(503);
    expect(Number(first.headers.get("retry-after"))).toBeGreaterThan(0);
    await at.arm({});
    const again = await post(body, `turn-${failing}`);
    expect([again.status, again.json.accepted]).toEqual([202, 600]);
  }
  expect(failures).toBeGreaterThan(2);
  await expectOnceInBronze("turn", total);
});

test("the receipt dies between a send and the note of it: sent again with its key, each event is in bronze once", async () => {
  for (const crashing of [1, 2, 3]) {
    const body = manyOrders(`crash-${crashing}`, 600);
    await at.arm({ "TOPIC_ORDERS.send": { crash: [crashing] } });
    const first = await post(body, `crash-${crashing}`);
    expect([first.status, first.json.code]).toEqual([503, "RECEIPTS_UNAVAILABLE"]);
    await at.arm({});
    const again = await post(body, `crash-${crashing}`);
    expect([again.status, again.json.accepted]).toEqual([202, 600]);
  }
  await expectOnceInBronze("crash", 1_800);
});

test("nothing could be sent and nobody asks again: the alarm sends what was kept", async () => {
  await at.arm({ "TOPIC_ORDERS.send": { always: true } });
  expect((await post(manyOrders("alarm", 10), "alarm")).status).toBe(503);
  await at.arm({});
  await at.passTime(10_000);
  await expectOnceInBronze("alarm", 10);
});

test("the key's limit: over a thousand requests in ten seconds are 429 with Retry-After", async () => {
  const { apiKey, url } = at.platform;
  const made = await fetch(`${url}/v1/keys`, {
    method: "POST",
    headers: { authorization: `Bearer ${apiKey}`, "content-type": "application/json" },
    body: JSON.stringify({ producer: "hasty", scopes: ["orders:write"] }),
  });
  const { key }: { key: string } = JSON.parse(await made.text());
  let refused: Answer | undefined;
  for (let round = 0; round < 60 && refused === undefined; round++) {
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => at.get("/v1/topics", { authorization: `Bearer ${key}` })),
    );
    refused = answers.find(({ status }) => status !== 200);
  }
  expect([refused?.status, refused?.json.code, refused?.headers.get("retry-after")]).toEqual([
    429,
    "RATE_LIMITED",
    "10",
  ]);
});
