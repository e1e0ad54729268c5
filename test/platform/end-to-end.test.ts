import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { contracts } from "../../contracts/registry.ts";
import { measuredTable } from "../../lakehouse/tables/compiled/compiled-check.ts";
import { models } from "../../lakehouse/tables/compiled/models.generated.ts";
import { compareWithDuckDb } from "../../tools/lake/model-oracle.ts";
import { order, payment, weather } from "./events.ts";
import { allBuilt, bronzeRows, startTestPlatform, type TestPlatform } from "./harness.ts";

let at: TestPlatform;
beforeAll(async () => {
  at = await startTestPlatform();
});
afterAll(() => at.close());

const DAY_MS = 86_400_000;

async function settled(orders: number): Promise<void> {
  await at.until(`${orders} orders in bronze`, async () => (await bronzeRows(at.platform, "orders")) >= orders);
  await at.until("everything built", () => allBuilt(at.platform));
}

describe("HTTP to gold, no part replaced", () => {
  test("copies are removed and counted, gold is what DuckDB says, the ledger closes", async () => {
    const events = [order("e-1"), order("e-2", { currency: "USD" }), order("e-1"), order("e-3", { currency: "XXX" })];
    const answer = await at.post("orders", JSON.stringify(events));
    expect(answer.status).toBe(207);
    await settled(3);

    const silver = await at.rows(
      "SELECT event_id, _copies, amount::VARCHAR AS amount, items FROM silver_orders ORDER BY event_id",
    );
    expect(silver.map((row) => [row["event_id"], row["_copies"], row["amount"]])).toEqual([
      ["e-1", 2, "20.50"],
      ["e-2", 1, "20.50"],
    ]);
    const gold = await at.rows(
      "SELECT currency, orders::INT AS orders, items::INT AS items, gross_revenue::VARCHAR AS revenue FROM daily_order_revenue ORDER BY currency",
    );
    expect(gold).toEqual([
      { currency: "EUR", orders: 1, items: 2, revenue: "20.50" },
      { currency: "USD", orders: 1, items: 2, revenue: "20.50" },
    ]);
    const health = await at.rows(
      "SELECT topic, accepted::INT AS accepted, rejected::INT AS rejected, invalid_enum::INT AS invalid_enum, duplicates::INT AS duplicates FROM pipeline_health WHERE topic <> 'schema_changes' ORDER BY topic",
    );
    expect(health).toEqual([
      { topic: "dead_letters", accepted: 1, rejected: 0, invalid_enum: 0, duplicates: 0 },
      { topic: "orders", accepted: 3, rejected: 1, invalid_enum: 1, duplicates: 1 },
    ]);
    const lake = await at.lake();
    for (const model of models) {
      if (!lake.views.some((view) => view.name === model.name)) continue;
      expect((await compareWithDuckDb(lake.connection, model)).differing).toBe(0);
    }
    lake.close();
    const letters = await at.rows(
      "SELECT source_topic, event_id, error_type, errors, payload, byte_offset::INT AS byte_offset, event_index FROM dead_letters",
    );
    expect(letters).toHaveLength(1);
    expect(letters[0]).toMatchObject({
      source_topic: "orders",
      event_id: "e-3",
      error_type: "INVALID_ENUM",
      event_index: 3,
    });
    expect(JSON.parse(String(letters[0]?.["payload"]))).toEqual(events[3]);
    expect(JSON.stringify(events).indexOf(JSON.stringify(events[3]))).toBe(letters[0]?.["byte_offset"]);
  });

  test("a payment reported twice goes into quarantine, is counted there, and the ledger closes", async () => {
    const events = [
      payment("p-1"),
      payment("p-1"),
      payment("p-2"),
      payment("p-3", { payment_id: "pay_000002", status: "failed", failure_reason: "card_declined" }),
      payment("p-4", { payment_id: "pay_000002", status: "failed", attempt: 2 }),
    ];
    expect((await at.post("payments", JSON.stringify(events))).status).toBe(202);
    await at.until("the payments in bronze", async () => (await bronzeRows(at.platform, "payments")) >= 5);
    await at.until("everything built", () => allBuilt(at.platform));
    expect(await at.rows("SELECT event_id FROM silver_payments ORDER BY event_id")).toEqual([
      { event_id: "p-1" },
      { event_id: "p-3" },
      { event_id: "p-4" },
    ]);
    expect(await at.rows("SELECT event_id, _copies, _failed_checks FROM quarantine_payments")).toEqual([
      { event_id: "p-2", _copies: 1, _failed_checks: ["one answer per attempt and status"] },
    ]);
    const health = await at.rows(
      "SELECT sum(accepted)::INT AS accepted, sum(duplicates)::INT AS duplicates, sum(quarantined)::INT AS quarantined FROM pipeline_health WHERE topic = 'payments'",
    );
    expect(health).toEqual([{ accepted: 5, duplicates: 1, quarantined: 1 }]);
  });

  test("checks in SQL measured on the way what DuckDB measures in the published tables", async () => {
    const lake = await at.lake();
    const measured = new Map<string, number>();
    for (const { topic, checks } of contracts) {
      for (const check of checks) {
        const table = measuredTable(topic, check);
        if (check.metric !== "sql" || !lake.views.some((view) => view.name === table)) continue;
        const [date] = (
          await lake.connection.runAndReadAll(
            `SELECT measured FROM quality_results WHERE table_name = $table AND check_name = $name ORDER BY checked_at DESC LIMIT 1`,
            { table, name: check.name },
          )
        ).getRows();
        const [own] = (await lake.connection.runAndReadAll(check.query)).getRows();
        expect([check.name, Number(date?.[0])]).toEqual([check.name, Number(own?.[0])]);
        measured.set(check.name, Number(own?.[0]));
      }
    }
    lake.close();
    expect(Object.fromEntries(measured)).toEqual({
      "an order keeps its currency": 1,
      "every currency's revenue is above nothing": 0,
      "failures say why, and nothing else does": 1,
    });
  });

  test("an event comes back from bronze as it was sent: unknown fields, odd times, explicit nulls", async () => {
    const sent = weather("round", {
      event_timestamp: new Date().toISOString().replace("Z", "+00:00"),
      note: { by: ["a", null] },
    });
    expect((await at.post("weather", JSON.stringify(sent))).status).toBe(202);
    await at.until("the reading in bronze", async () => (await bronzeRows(at.platform, "weather")) >= 1);
    const [row] = await at.rows("SELECT _extra, _lexical FROM bronze_weather WHERE event_id = 'round'");
    expect(String(row?.["_extra"])).toContain('"by":["a",null]');
    expect(String(row?.["_lexical"])).toContain(String(sent["event_timestamp"]));
  });

  test("a dry run answers the same and stores nothing", async () => {
    const before = await bronzeRows(at.platform, "orders");
    const answer = await at.post("orders", JSON.stringify([order("dry-1"), order("dry-2", { amount: 1 })]), {
      query: "?dry_run=true",
    });
    expect(answer.status).toBe(207);
    expect(answer.json).toMatchObject({ dry_run: true, accepted: 1, rejected: 1 });
    expect(answer.json.results[0].errors[0]).toMatchObject({
      error_type: "RULE_VIOLATION",
      rule: "orders.amount_is_sum_of_items",
    });
    expect((await at.post("orders", JSON.stringify(order("after-dry")))).status).toBe(202);
    await settled(before + 1);
    expect(await at.rows("SELECT 1 FROM bronze_orders WHERE event_id LIKE 'dry-%'")).toEqual([]);
  });

  test("a late event reopens its partition by itself: silver and gold are restated, the revision is counted", async () => {
    const day = new Date(Date.now() - 3 * DAY_MS);
    const date = day.toISOString().slice(0, 10);
    const past = { event_timestamp: day.toISOString() };
    const before = await bronzeRows(at.platform, "orders");
    await at.post("orders", JSON.stringify(order("late-1", past)));
    await settled(before + 1);
    await at.post("orders", JSON.stringify(order("late-2", past)));
    await settled(before + 2);
    const gold = await at.rows(
      `SELECT orders::INT AS orders FROM daily_order_revenue WHERE event_date = DATE '${date}'`,
    );
    expect(gold).toEqual([{ orders: 2 }]);
    const revisions = await at.platform.db
      .prepare("SELECT domain, revisions FROM partition_leases WHERE partition_date = ? ORDER BY domain")
      .bind(date)
      .all<{ domain: string; revisions: number }>();
    expect(revisions.results.find((row) => row.domain === "orders")?.revisions).toBe(1);
  });

  test("the operator's UPDATE on partition_meta rebuilds a partition, to the same rows", async () => {
    const before = await at.rows("SELECT * FROM silver_orders ORDER BY event_id");
    const file = await at.platform.db
      .prepare("SELECT snapshot_id FROM published WHERE table_name = 'silver_orders' ORDER BY 1 LIMIT 1")
      .first("snapshot_id");
    await at.platform.db.prepare("UPDATE partition_meta SET status = 'PENDING' WHERE domain = 'orders'").run();
    await at.until("everything built again", () => allBuilt(at.platform));
    const after = await at.platform.db
      .prepare("SELECT snapshot_id FROM published WHERE table_name = 'silver_orders' ORDER BY 1 LIMIT 1")
      .first("snapshot_id");
    expect(after).not.toBe(file);
    expect(await at.rows("SELECT * FROM silver_orders ORDER BY event_id")).toEqual(before);
  });

  test("tables and their files are listed, and the pointer in the lake names the same files", async () => {
    const tables = await at.get("/v1/tables");
    expect(tables.status).toBe(200);
    expect(JSON.stringify(tables.json)).toContain("daily_order_revenue");
    const files = await at.get("/v1/tables/silver_orders/files");
    expect(files.status).toBe(200);
    const pointer = await at.platform.lake.get("silver/orders/current.json");
    const named: unknown = JSON.parse((await pointer?.text()) ?? "null");
    const keys = (value: unknown): string[] =>
      [...JSON.stringify(value).matchAll(/silver\/orders\/event_date=[^"]+\.parquet/g)].map(([key]) => key).sort();
    expect(keys(files.json)).toEqual(keys(named));
    expect(keys(named).length).toBeGreaterThan(0);
    expect(await at.platform.lake.head("silver/orders/views.sql")).not.toBeNull();
    expect((await at.get("/v1/tables/no_such_table/files")).status).toBe(404);
  });

  test("the open pages answer without a key, the listings do not", async () => {
    for (const path of ["/", "/healthz", "/readyz"]) expect((await at.get(path, {})).status).toBe(200);
    for (const path of ["/v1/topics", "/v1/topics/orders", "/v1/tables"]) {
      expect((await at.get(path)).status).toBe(200);
      expect((await at.get(path, {})).status).toBe(401);
    }
    expect((await at.get("/v1/topics/no_such_topic")).status).toBe(404);
    expect((await at.get("/nowhere", {})).status).toBe(404);
    const posted = await at.post("dead_letters", "[]");
    expect(posted.status).toBe(403);
  });

  test("the ledger closes: every event that was sent is in a term, nothing is on its way", async () => {
    await at.until("everything built", () => allBuilt(at.platform));
    const ledger = await at.get("/v1/ledger");
    expect(ledger.json).toMatchObject({ closes: true, parked: { groups: [], truncated: false } });
    type Row = Readonly<Record<string, number>> & { readonly topic: string };
    const rows: Row[] = ledger.json.rows;
    const sum = (topic: string, term: string) =>
      rows.reduce((total, row) => total + (row.topic === topic ? (row[term] ?? 0) : 0), 0);
    const orders = await bronzeRows(at.platform, "orders");
    expect(
      Object.fromEntries(
        ["accepted", "rejected", "bronze", "silver", "duplicates"].map((term) => [term, sum("orders", term)]),
      ),
    ).toEqual({
      accepted: orders,
      rejected: 1,
      bronze: orders,
      silver: orders - 1,
      duplicates: 1,
    });
    for (const term of ["buffered", "unbuilt", "difference"])
      expect(new Set(rows.map((row) => row[term]))).toEqual(new Set([0]));
    for (const messages of ledger.json.messages) expect(messages).toMatchObject({ in_flight: 0, suspected_lost: 0 });
    const published = await at.rows(
      "SELECT term, sum(events)::INT AS events FROM silver_ledger WHERE topic = 'orders' GROUP BY term ORDER BY term",
    );
    expect(published).toEqual([
      { term: "accepted", events: orders },
      { term: "bronze", events: orders },
      { term: "duplicate", events: 1 },
      { term: "rejected", events: 1 },
      { term: "silver", events: orders - 1 },
    ]);
    const partitions = await at.get("/v1/ledger?by=partition&topic=orders");
    expect(partitions.json.rows.length).toBeGreaterThanOrEqual(2);
  });

  test("the trace of an event: both copies and which one silver kept, its gold; a dead letter; what was searched in vain", async () => {
    await at.until("everything built", () => allBuilt(at.platform));
    const twice = await at.get("/v1/events/e-1?topic=orders");
    expect(twice.json).toMatchObject({
      event_id: "e-1",
      state: "silver",
      buffered: [],
      dead_letters: [],
      cursor: null,
    });
    expect(twice.json.copies.map((copy: Record<string, unknown>) => [copy["event_index"], copy["silver"]])).toEqual([
      [0, "kept"],
      [2, "duplicate"],
    ]);
    const [{ bronze, message_id, partition_date }] = twice.json.copies;
    const stored = await at.rows(
      `SELECT event_id, _message, _event FROM bronze_orders WHERE _message = '${message_id}' AND event_id = 'e-1' ORDER BY _event`,
    );
    expect(stored.map((row) => row["_event"])).toEqual([0, 2]);
    expect(await at.platform.lake.head(bronze.file)).not.toBeNull();
    expect(twice.json.silver).toMatchObject([
      { table: "silver_orders", partition_date, row: { message_id, event_index: 0, copies: 2 } },
    ]);
    const published = await at.platform.db
      .prepare(
        "SELECT table_name, snapshot_id FROM published WHERE partition_date = ? AND table_name IN ('silver_orders', 'daily_order_revenue') ORDER BY table_name",
      )
      .bind(partition_date)
      .all<{ table_name: string; snapshot_id: string }>();
    expect(published.results[1]?.snapshot_id).toBe(twice.json.silver[0].snapshot_id);
    expect(twice.json.gold).toMatchObject([
      { table: "daily_order_revenue", snapshot_id: published.results[0]?.snapshot_id, current: true },
    ]);

    const byDate = await at.get(`/v1/events/e-1?date=${partition_date}`);
    expect(byDate.json.copies).toEqual(twice.json.copies);

    const refused = await at.get("/v1/events/e-3?topic=orders");
    expect(refused.json).toMatchObject({ state: "rejected", copies: [] });
    expect(refused.json.dead_letters).toMatchObject([{ topic: "orders", error_type: "INVALID_ENUM", event_index: 3 }]);

    const unknown = await at.get("/v1/events/never-sent?topic=orders");
    expect([unknown.status, unknown.json.code]).toEqual([404, "EVENT_NOT_FOUND"]);
    expect(unknown.json.searched).toMatchObject({ topics: ["orders"], unreadable: [] });
    expect(unknown.json.searched.files).toBeGreaterThan(0);
  });

  test("nothing failed on the way", () => {
    expect(at.errors).toEqual([]);
  });
});
