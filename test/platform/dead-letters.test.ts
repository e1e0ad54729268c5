/** Dead letters and parked messages as an operator meets them: on the real bundle, read back by DuckDB. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { metadataOf } from "../../lakehouse/upkeep/parked/parked-message.ts";
import { makeMessage, uuidAt } from "../oracle/frames.ts";
import { order } from "./events.ts";
import { allBuilt, bronzeRows, startTestPlatform, type TestPlatform } from "./harness.ts";

let at: TestPlatform;
beforeAll(async () => {
  at = await startTestPlatform();
});
afterAll(() => at.close());

const CANARY = "cAnArY-bird";

async function call(path: string, body: object) {
  const response = await fetch(`${at.platform.url}${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${at.platform.apiKey}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  expect(`${response.status} ${text}`).toMatch(/^200 /);
  expect(text).not.toContain(CANARY);
  return JSON.parse(text);
}

async function settled(topic: string, rows: number): Promise<void> {
  await at.until(`${rows} rows of ${topic} in bronze`, async () => (await bronzeRows(at.platform, topic)) >= rows);
  await at.until("everything built", () => allBuilt(at.platform));
}

const SILVER = "SELECT * FROM";

describe("dead letters", () => {
  const good = order("dl-good");
  const { event_id: _, ...nameless } = order("");
  // Two spaces: printed anew it would have other bytes.
  const nothing = JSON.stringify(nameless).replace('":', '" :  ');
  const bad = JSON.stringify(order("dl-bad", { currency: "XXX" }));
  const person = {
    user_id: "cus_00042",
    event_timestamp: new Date().toISOString(),
    status: "active",
    tier: "basic",
    email: `${CANARY}@example.com`,
    country: "SE",
    signed_up_on: "2024-02-29",
    marketing_consent: true,
    updated_at: new Date().toISOString(),
    nickname: CANARY,
  };

  test("are listed, shown to the byte, and found by topic", async () => {
    const posted = await at.post("orders", `[${JSON.stringify(good)},${nothing},${bad}]`);
    expect(posted.json).toMatchObject({ accepted: 1, rejected: 2 });
    expect((await at.post("users", JSON.stringify(person))).status).toBe(422);
    await settled("dead_letters", 3);
    const list = await at.get("/v1/dead-letters?topic=orders&order=oldest");
    expect(list.json.dead_letters.map((letter: { error_type: string }) => letter.error_type).sort()).toEqual([
      "INVALID_ENUM",
      "MISSING_FIELD",
    ]);
    const payloads = await Promise.all(
      list.json.dead_letters.map(async ({ dlq_id }: { dlq_id: string }) => {
        const { json } = await at.get(`/v1/dead-letters/${dlq_id}`);
        return json.payload;
      }),
    );
    expect(payloads.sort()).toEqual([bad, nothing].sort());
    const paged = await at.get("/v1/dead-letters?limit=1");
    expect(paged.json.dead_letters).toHaveLength(1);
    expect(paged.json.next_cursor).toEqual(expect.any(String));
  });

  test("replayed twice give the same silver, marked with what they are replays of", async () => {
    const before = await bronzeRows(at.platform, "orders");
    const dry = await call("/v1/dead-letters/replay", { topic: "orders" });
    expect(dry).toMatchObject({ dry_run: true, accepted: 1, rejected: 1 });
    const first = await call("/v1/dead-letters/replay", { topic: "orders", dry_run: false });
    const accepted = first.results.find((result: { status: string }) => result.status === "accepted");
    await settled("orders", before + 1);
    await settled("dead_letters", 4);
    const orders = await at.rows(`${SILVER} silver_orders ORDER BY event_id`);
    const letters = await at.rows(`${SILVER} silver_dead_letters ORDER BY dlq_id`);
    expect(orders.map((row) => [row["event_id"], row["_replay_of"]]).sort()).toEqual(
      [
        ["dl-good", null],
        [accepted.dlq_id, accepted.dlq_id],
      ].sort(),
    );
    expect(letters.map((row) => [row["source_topic"], row["attempts"]]).sort()).toEqual([
      ["orders", 1],
      ["orders", 1],
      ["orders", 2],
      ["users", 1],
    ]);

    const again = await call("/v1/dead-letters/replay", { topic: "orders", dry_run: false });
    expect(again).toMatchObject({ accepted: 1, rejected: 1 });
    await settled("orders", before + 2);
    expect(await at.rows(`${SILVER} silver_orders ORDER BY event_id`)).toEqual(orders);
    const copies = await at.rows(
      "SELECT event_id FROM bronze_orders GROUP BY event_id HAVING count(*) = 2 ORDER BY event_id",
    );
    expect(copies).toEqual([{ event_id: accepted.dlq_id }]);
    await settled("dead_letters", 5);
    expect(await at.rows(`${SILVER} silver_dead_letters ORDER BY dlq_id`)).toEqual(letters);
  });

  test("of a topic with masked fields are opened only to be masked and sealed again", async () => {
    const replayed = await call("/v1/dead-letters/replay", { topic: "users", dry_run: false });
    expect(replayed).toMatchObject({ accepted: 1 });
    await settled("users", 1);
    const [row] = await at.rows("SELECT event_id, email, _extra, _replay_of FROM silver_users");
    const id = replayed.results[0].dlq_id;
    expect(row).toMatchObject({ event_id: id, _replay_of: id, email: expect.stringMatching(/^sluice:email:v1:/) });
    expect(row?.["_extra"]).toMatch(/^"sluice:aes:v1:/);
    for (const line of at.logs) expect(line).not.toContain(CANARY);
  });

  test("stand in the gold model of the pipeline's health, with every refused event once, by its type", async () => {
    const health = await at.rows(
      "SELECT topic, sum(accepted)::INT AS accepted, sum(rejected)::INT AS rejected, sum(invalid_enum)::INT AS invalid_enum, sum(missing_field)::INT AS missing_field FROM pipeline_health WHERE topic IN ('dead_letters', 'orders', 'users') GROUP BY topic ORDER BY topic",
    );
    expect(health).toEqual([
      { topic: "dead_letters", accepted: 5, rejected: 0, invalid_enum: 0, missing_field: 0 },
      { topic: "orders", accepted: 3, rejected: 2, invalid_enum: 1, missing_field: 1 },
      { topic: "users", accepted: 1, rejected: 1, invalid_enum: 0, missing_field: 1 },
    ]);
  });
});

describe("parked messages", () => {
  const DAY_MS = 86_400_000;
  const MINUTE_MS = 60_000;
  const orderAt = (id: string, at: number) => ({
    event: order(id, { event_timestamp: new Date(at).toISOString() }),
    extra: null,
    lexical: null,
  });

  async function park(id: string, message: Uint8Array): Promise<string> {
    const customMetadata = metadataOf({
      cause: "system",
      detail: "the queue's retries were exhausted",
      attempts: 100,
      sent: "",
    });
    await at.platform.lake.put(`parked/sluice-local-orders-dlq/${id}`, message, { customMetadata });
    return `sluice-local-orders-dlq/${id}`;
  }

  test("go back to their queue as they are; a copy of what has landed changes nothing", async () => {
    const before = await bronzeRows(at.platform, "orders");
    const now = Date.now();
    const events = [orderAt("parked-1", now), orderAt("parked-2", now)];
    const message = makeMessage({ topic: "orders", messageId: uuidAt(now, 1), received: now * 1_000, events });
    const ids = [await park("young", message), await park("young-again", message)];
    const list = await at.get("/v1/parked?queue=sluice-local-orders-dlq");
    expect(list.json.parked).toEqual([
      expect.objectContaining({ id: ids[0], cause: "system", attempts: 100, size: message.byteLength }),
      expect.objectContaining({ id: ids[1] }),
    ]);
    const { results } = await call("/v1/parked/retry", { ids });
    expect(results.map((result: { outcome: string }) => result.outcome)).toEqual(["sent", "sent"]);
    await settled("orders", before + 2);
    const rows = await at.rows("SELECT count(*)::INT AS n FROM bronze_orders WHERE event_id LIKE 'parked-%'");
    expect(rows).toEqual([{ n: 2 }]);
    expect((await at.get("/v1/parked")).json.parked).toEqual([]);
  });

  test("go on by themselves, not before ten minutes are over", async () => {
    const before = await bronzeRows(at.platform, "orders");
    const now = Date.now();
    const events = [orderAt("unattended-1", now)];
    await park(
      "unattended",
      makeMessage({ topic: "orders", messageId: uuidAt(now, 2), received: now * 1_000, events }),
    );
    const parkedAfter = async (minutes: number) => {
      // Re-drives are a duty of every fifth minute.
      const scheduledTime = new Date(Math.floor(now / (5 * MINUTE_MS)) * 5 * MINUTE_MS + minutes * MINUTE_MS);
      await at.platform.runCron("* * * * *", scheduledTime);
      return (await at.get("/v1/parked")).json.parked.length;
    };
    expect(await parkedAfter(10)).toBe(1);
    expect(await parkedAfter(20)).toBe(0);
    await settled("orders", before + 1);
    expect(await at.rows("SELECT event_id FROM bronze_orders WHERE event_id LIKE 'unattended-%'")).toHaveLength(1);
  });

  test("older than the memory of ids go under a fresh one, and only if bronze does not have them", async () => {
    const before = await bronzeRows(at.platform, "orders");
    const old = Date.now() - 20 * DAY_MS;
    const message = makeMessage({
      topic: "orders",
      messageId: uuidAt(old, 1),
      received: old * 1_000,
      events: [orderAt("aged-1", old), orderAt("aged-2", old)],
    });
    // Through the queue such a message is parked, never appended.
    const queued = await call("/v1/parked/retry", { ids: [await park("old", message)] });
    expect(queued.results).toEqual([expect.objectContaining({ outcome: "sent", events: 2 })]);
    await settled("orders", before + 2);
    const rows = await at.rows(
      "SELECT event_id, _message FROM bronze_orders WHERE event_id LIKE 'aged-%' ORDER BY event_id",
    );
    const { message_id } = queued.results[0];
    expect(rows).toEqual([
      { event_id: "aged-1", _message: message_id },
      { event_id: "aged-2", _message: message_id },
    ]);
    const copy = await call("/v1/parked/retry", { ids: [await park("old-again", message)] });
    expect(copy.results).toEqual([expect.objectContaining({ outcome: "discarded", detail: expect.any(String) })]);
    expect(await bronzeRows(at.platform, "orders")).toBe(before + 2);
  });

  test("bytes that are no message stay, with their cause", async () => {
    const poison = await park("poison", Uint8Array.of(1, 2, 3));
    const { results } = await call("/v1/parked/retry", { ids: [poison, "sluice-local-orders/none"] });
    expect(results.map((result: { outcome: string }) => result.outcome)).toEqual(["kept", "not_found"]);
    expect((await at.get("/v1/parked")).json.parked).toHaveLength(1);
  });
});

test("nothing failed on the way", () => {
  expect(at.errors).toEqual([]);
});
