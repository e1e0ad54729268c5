import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { order } from "./events.ts";
import { allBuilt, bronzeRows, startTestPlatform, type TestPlatform } from "./harness.ts";

let at: TestPlatform;
beforeAll(async () => {
  at = await startTestPlatform();
});
afterAll(() => at.close());

async function settled(topic: string, rows: number): Promise<void> {
  await at.until(`${rows} ${topic} in bronze`, async () => (await bronzeRows(at.platform, topic)) >= rows);
  await at.until("everything built", () => allBuilt(at.platform));
}

function contact(id: string, changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    event_id: id,
    campaign_id: "cmp_spring",
    event_timestamp: new Date(Date.now() - 60_000).toISOString(),
    event_type: "impression",
    channel: "social",
    currency: "EUR",
    cost: 0.0125,
    ...changes,
  };
}

const VERSION_1 = { headers: { "sluice-schema-version": "1" } };

describe("events of two schema versions", () => {
  test("stand in one bronze, silver and gold: files of version 1 alone, of both, and requests of both", async () => {
    const first = await at.post("orders", JSON.stringify([order("old-1"), order("old-2")]), VERSION_1);
    expect(first.status).toBe(202);
    await settled("orders", 2);
    const gold = "SELECT orders::INT AS orders, gross_revenue::VARCHAR AS revenue FROM daily_order_revenue";
    expect(await at.rows(gold)).toEqual([{ orders: 2, revenue: "41.00" }]);

    const mixed = await at.post(
      "orders",
      JSON.stringify([
        order("old-3", { schema_version: 1 }),
        order("new-1", { schema_version: 2, delivery_fee: 2.5, gift: true }),
        order("new-2"),
        order("new-3", { delivery_fee: 3 }),
      ]),
    );
    expect([mixed.status, mixed.json.accepted]).toEqual([202, 4]);
    await settled("orders", 6);

    const columns = "event_id, delivery_fee::VARCHAR AS fee, gift, _schema";
    const rows = [
      { event_id: "new-1", fee: "2.50", gift: true, _schema: 100_006 },
      { event_id: "new-2", fee: null, gift: null, _schema: 100_006 },
      { event_id: "new-3", fee: "3.00", gift: null, _schema: 100_006 },
      { event_id: "old-1", fee: null, gift: null, _schema: 100_001 },
      { event_id: "old-2", fee: null, gift: null, _schema: 100_001 },
      { event_id: "old-3", fee: null, gift: null, _schema: 100_001 },
    ];
    for (const table of ["bronze_orders", "silver_orders"])
      expect(await at.rows(`SELECT ${columns} FROM ${table} ORDER BY event_id`)).toEqual(rows);
    expect(await at.rows(gold)).toEqual([{ orders: 6, revenue: "123.00" }]);
  });

  test("what a version does not know is kept, not typed; a version that is not released is refused", async () => {
    const early = await at.post("orders", JSON.stringify(order("early", { gift: "yes" })), VERSION_1);
    expect(early.status).toBe(202);
    const wrong = await at.post("orders", JSON.stringify(order("wrong", { gift: "yes" })));
    expect(wrong.json.results[0].errors[0]).toMatchObject({ error_type: "TYPE_MISMATCH", pointer: "/gift" });
    const unknown = await at.post("orders", JSON.stringify(order("unknown", { schema_version: 3 })));
    expect(unknown.json.results[0].errors[0]).toMatchObject({
      error_type: "UNKNOWN_SCHEMA",
      detail: expect.stringContaining("(1, 2), got 3"),
    });
    await settled("orders", 7);
    expect(await at.rows("SELECT gift, _extra FROM silver_orders WHERE event_id = 'early'")).toEqual([
      { gift: null, _extra: '{"gift":"yes"}' },
    ]);
  });

  test("campaign events of both versions too", async () => {
    const events = [
      contact("c-1", { schema_version: 1 }),
      contact("c-2", { schema_version: 2, placement: "feed", view_seconds: 1.5 }),
      contact("c-3", { placement: "story" }),
    ];
    expect((await at.post("campaign_events", JSON.stringify(events))).status).toBe(202);
    await settled("campaign_events", 3);
    expect(await at.rows("SELECT event_id, placement, view_seconds FROM silver_campaign_events ORDER BY 1")).toEqual([
      { event_id: "c-1", placement: null, view_seconds: null },
      { event_id: "c-2", placement: "feed", view_seconds: 1.5 },
      { event_id: "c-3", placement: "story", view_seconds: null },
    ]);
  });

  test("nothing failed on the way", () => {
    expect(at.errors).toEqual([]);
  });
});
