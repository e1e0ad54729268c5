import { setTimeout as delay } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { contracts } from "../../contracts/registry.ts";
import { measuredTable } from "../../lakehouse/tables/compiled/compiled-check.ts";
import { models } from "../../lakehouse/tables/compiled/models.generated.ts";
import { compareWithDuckDb } from "../../tools/lake/model-oracle.ts";
import { order, payment, weather } from "./events.ts";
import { allBuilt, bronzeRows, startTestPlatform, type TestPlatform } from "./harness.ts";

let at: TestPlatform;
beforeAll(async () => {
  // Steps of three rows: most builds here take several.
  at = await startTestPlatform({ vars: { BUILD_STEP_ROWS: "3" } });
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
      "SELECT event_id, amount::VARCHAR AS amount, items FROM silver_orders ORDER BY event_id",
    );
    expect(silver.map((row) => [row["event_id"], row["amount"]])).toEqual([
      ["e-1", "20.50"],
      ["e-2", "20.50"],
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
    expect(await at.rows("SELECT event_id, _failed_checks FROM quarantine_payments")).toEqual([
      { event_id: "p-2", _failed_checks: ["one answer per attempt and status"] },
    ]);
    const health = await at.rows(
      "SELECT sum(accepted)::INT AS accepted, sum(duplicates)::INT AS duplicates, sum(quarantined)::INT AS quarantined FROM pipeline_health WHERE topic = 'payments'",
    );
    expect(health).toEqual([{ accepted: 5, duplicates: 1, quarantined: 1 }]);
  });

  test("checks in SQL wait until a date has closed, and measure what DuckDB measures in what is published of it", async () => {
    const before = await bronzeRows(at.platform, "orders");
    const [today, date] = [0, 5].map((days) => new Date(Date.now() - days * DAY_MS).toISOString().slice(0, 10));
    const past = { event_timestamp: `${date}T12:00:00.000Z` };
    const failed = { ...past, payment_id: "pay_000009", status: "failed" };
    await at.post("orders", JSON.stringify([order("sql-1", past), order("sql-2", { ...past, currency: "USD" })]));
    await at.post("payments", JSON.stringify([payment("sql-1", past), payment("sql-2", failed)]));
    await at.until("the payments in bronze", async () => (await bronzeRows(at.platform, "payments")) >= 7);
    await settled(before + 2);
    const lake = await at.lake();
    const measured = new Map<string, number>();
    for (const { topic, checks } of contracts) {
      for (const check of checks) {
        const table = measuredTable(topic, check);
        if (check.metric !== "sql" || !lake.views.some((view) => view.name === table)) continue;
        const results = await lake.connection.runAndReadAll(
          "SELECT partition_date, measured FROM quality_results WHERE table_name = $table AND check_name = $name ORDER BY checked_at DESC",
          { table, name: check.name },
        );
        const rows = results.getRows();
        expect(new Set(rows.map(([of]) => of))).toEqual(new Set([date]));
        const ofDate = `(SELECT * FROM "${table}" WHERE event_date = '${date}')`;
        const [own] = (await lake.connection.runAndReadAll(check.query.replaceAll(`"${table}"`, ofDate))).getRows();
        expect([check.name, Number(rows[0]?.[1])]).toEqual([check.name, Number(own?.[0])]);
        measured.set(check.name, Number(own?.[0]));
      }
    }
    lake.close();
    expect(Object.fromEntries(measured)).toEqual({
      "an order keeps its currency": 1,
      "every currency's revenue is above nothing": 0,
      "failures say why, and nothing else does": 1,
    });
    const waiting = (await at.get(`/v1/quality?table=orders&date=${today}`)).json.waiting;
    expect(waiting).toMatchObject([{ check_name: "an order keeps its currency", partition_date: today }]);
    expect((await at.get(`/v1/partitions/orders/${today}`)).json.waiting_checks).toEqual(waiting);
    expect((await at.get(`/v1/partitions/orders/${date}`)).json.waiting_checks).toEqual([]);
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
      .prepare("SELECT version FROM published WHERE table_name = 'silver_orders' ORDER BY 1 LIMIT 1")
      .first("version");
    await at.platform.db.prepare("UPDATE partition_meta SET status = 'PENDING' WHERE domain = 'orders'").run();
    await at.until("everything built again", () => allBuilt(at.platform));
    const after = await at.platform.db
      .prepare("SELECT version FROM published WHERE table_name = 'silver_orders' ORDER BY 1 LIMIT 1")
      .first("version");
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
    const { manifests } = JSON.parse((await pointer?.text()) ?? "{}");
    const named: unknown[] = [];
    for (const { manifest } of manifests)
      named.push(JSON.parse((await (await at.platform.lake.get(manifest))?.text()) ?? "null"));
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
      { table: "silver_orders", partition_date, row: { message_id, event_index: 0 } },
    ]);
    const published = await at.platform.db
      .prepare(
        "SELECT table_name, version FROM published WHERE partition_date = ? AND table_name IN ('silver_orders', 'daily_order_revenue') ORDER BY table_name",
      )
      .bind(partition_date)
      .all<{ table_name: string; version: number }>();
    expect(published.results[1]?.version).toBe(twice.json.silver[0].version);
    expect(twice.json.gold).toMatchObject([
      { table: "daily_order_revenue", version: published.results[0]?.version, current: true },
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
});

describe("the states of a partition, in D1 and by call", () => {
  const date = new Date(Date.now() - 2 * DAY_MS).toISOString().slice(0, 10);
  const past = { event_timestamp: `${date}T12:00:00.000Z` };
  const of = "domain = 'weather' AND partition_date = ?";
  const run = (sql: string) => at.platform.db.prepare(sql).bind(date).run();
  const tick = () => at.platform.runCron("* * * * *");
  /** As a builder that has the lease and says nothing: whatever the planner queues, no other begins. */
  const hold = () =>
    run(
      `INSERT INTO partition_leases (domain, partition_date, run_id, lease_until) VALUES ('weather', ?, 'held', 4e12)
       ON CONFLICT DO UPDATE SET run_id = 'held', lease_until = 4e12`,
    );
  const release = () =>
    run(`UPDATE partition_leases SET run_id = NULL, lease_until = 0, queued_at = 0, not_before = 0 WHERE ${of}`);
  const statusInD1 = () =>
    at.platform.db.prepare(`SELECT status FROM partition_meta WHERE ${of}`).bind(date).first<string>("status");
  /**
   * The state stays as it is once the partition has it. Each build of another table plans again when it ends, whenever that is: without
   * this the planner could turn a state before it was looked at. D1 is told to ignore the change.
   */
  const keep = (status: string) =>
    at.platform.db
      .prepare(
        `CREATE TRIGGER kept BEFORE ${status === "UNDISCOVERED" ? "INSERT" : "UPDATE OF status"} ON partition_meta
         WHEN NEW.domain = 'weather' AND NEW.partition_date = '${date}' ${status === "UNDISCOVERED" ? "" : `AND OLD.status = '${status}'`}
         BEGIN SELECT RAISE(IGNORE); END`,
      )
      .run();
  const letGo = () => at.platform.db.prepare("DROP TRIGGER IF EXISTS kept").run();
  // What a test that failed held would hold those after it as well.
  afterEach(async () => {
    await letGo();
    await release();
  });
  /** What the call says, which must be what D1 says. */
  async function shown(): Promise<Record<string, unknown>> {
    const { status, json } = await at.get(`/v1/partitions/silver_weather/${date}`);
    expect([status, json.status]).toEqual([200, (await statusInD1()) ?? "UNDISCOVERED"]);
    const list = await at.get(`/v1/partitions?table=weather&from=${date}&to=${date}&status=${json.status}`);
    expect(list.json).toMatchObject({ counts: { [json.status]: 1 }, partitions: [{ partition_date: date }] });
    return json;
  }
  async function registered(rows: number): Promise<void> {
    for (let tries = 0; (await bronzeRows(at.platform, "weather")) < rows; tries++) {
      if (tries > 300) throw new Error("the readings never came into bronze");
      await delay(100);
    }
  }
  /** Rows wait for a second, which is the local `buildAfter`. */
  const ticksUntil = (status: string): Promise<void> =>
    at.until(`it is ${status}`, async () => {
      await tick();
      return (await statusInD1()) === status;
    });
  const post = async (path: string, body: object): Promise<Record<string, unknown>> => {
    const headers = { authorization: `Bearer ${at.platform.apiKey}`, "content-type": "application/json" };
    const answer = await fetch(`${at.platform.url}${path}`, { method: "POST", headers, body: JSON.stringify(body) });
    return { status: answer.status, body: await answer.json() };
  };

  test("first input, a build that waits, fails and is retried, a builder that dies, too many retries; a backfill", async () => {
    const before = await bronzeRows(at.platform, "weather");
    await hold();
    await keep("UNDISCOVERED");
    expect((await at.post("weather", JSON.stringify(weather("s-1", past)))).status).toBe(202);
    await registered(before + 1);
    expect(await shown()).toMatchObject({ status: "UNDISCOVERED", published: null, inputs: { files: 1, rows: 1 } });
    await letGo();
    await ticksUntil("PENDING");
    expect(await shown()).toMatchObject({ status: "PENDING", waits: expect.stringContaining("the end of run held") });

    const { objects } = await at.platform.lake.list({ prefix: `bronze/weather/event_date=${date}/` });
    const key = objects[0]?.key ?? "";
    const bytes = (await (await at.platform.lake.get(key))?.arrayBuffer()) ?? new ArrayBuffer(0);
    await at.platform.lake.delete(key);
    await keep("FAILED");
    await release();
    await at.until("the build fails", async () => (await statusInD1()) === "FAILED");
    expect(await shown()).toMatchObject({ waits: expect.stringMatching(/^retry 1 of 5.*MissingObjectError/) });
    await hold();
    await letGo();
    await run(`UPDATE partition_leases SET not_before = 0 WHERE ${of}`);
    await tick();
    expect(await shown()).toMatchObject({ status: "RETRYING", retry_count: 1, retries_left: 4 });

    await run(`UPDATE partition_meta SET status = 'IN_FLIGHT', retry_count = 5 WHERE ${of}`);
    expect(await shown()).toMatchObject({
      lease: { run_id: "held" },
      waits: expect.stringContaining("run held, which builds it"),
    });
    await run(`UPDATE partition_leases SET lease_until = 1 WHERE ${of}`);
    await tick();
    expect(await shown()).toMatchObject({ status: "DEAD", remedy: expect.stringContaining("sluice backfill") });
    await tick();
    expect(await statusInD1()).toBe("DEAD");

    await at.platform.lake.put(key, bytes);
    const asked = { table: "weather", from: date, to: date, reprocess: "failed" };
    expect(await post("/v1/backfills", { ...asked, dry_run: true })).toMatchObject({ status: 200, body: { left: 0 } });
    const { status, body } = await post("/v1/backfills", asked);
    expect([status, body]).toEqual([201, expect.objectContaining({ state: "RUNNING" })]);
    await at.until("the backfill ends", async () => (await at.get("/v1/backfills")).json.backfills[0].state === "DONE");
    expect((await at.get("/v1/backfills")).json.backfills[0].counts).toMatchObject({ total: 1, done: 1, failed: 0 });
    expect(await shown()).toMatchObject({
      ...{ status: "DONE", record_count: 1, retry_count: 0, waits: expect.stringContaining("nothing") },
      ...{ published: { rows: 1, files: 1 }, lease: null, backfill: null },
    });
    const runs = await at.get(`/v1/runs?table=weather&date=${date}`);
    const statuses: string[] = runs.json.runs.map((each: { status: string }) => each.status);
    expect([statuses[0], new Set(statuses)]).toEqual(["DONE", new Set(["DONE", "FAILED", "LOST"])]);
    const checks = await at.get(`/v1/quality?table=weather&date=${date}&passed=true`);
    expect(checks.json.checks.length).toBeGreaterThan(0);
  });

  test("late events: LATE, REPROCESSING, and published again as a revision", async () => {
    const before = await bronzeRows(at.platform, "weather");
    await at.until("everything built", () => allBuilt(at.platform));
    await hold();
    await keep("LATE");
    await at.post("weather", JSON.stringify(weather("s-2", past)));
    await registered(before + 1);
    await ticksUntil("LATE");
    expect(await shown()).toMatchObject({ status: "LATE" });
    await letGo();
    await ticksUntil("REPROCESSING");
    expect(await shown()).toMatchObject({ status: "REPROCESSING", revisions: 0 });
    await release();
    await at.until("it is built", async () => (await statusInD1()) === "DONE");
    expect(await shown()).toMatchObject({ revisions: 1, record_count: 2 });
  });

  test("a person ends one that a check holds back; only then is there something to decide", async () => {
    const path = `/v1/partitions/weather/${date}/decisions`;
    const decision = { action: "discard", reason: "a broken station" };
    expect(await post(path, decision)).toMatchObject({ status: 409, body: { code: "NOTHING_TO_DECIDE" } });
    // What a build leaves that a check held back: no contract of ours lets such rows in.
    const checks =
      '{"table_name":"silver_weather","checked_at":"2026-01-01T00:00:00Z","results":[{"layer":"silver","check_name":"c","metric":"rowCount","measured":2,"bound":"{}","passed":0,"on_fail":"block","failing_rows":null,"candidate":null}]}';
    await at.platform.db.batch([
      at.platform.db
        .prepare(
          `UPDATE partition_meta SET status = 'FAILED', run_id = 'z', error_message = 'QualityGateError: c' WHERE ${of}`,
        )
        .bind(date),
      at.platform.db.prepare(`UPDATE partition_inputs SET version = version + 1 WHERE ${of}`).bind(date),
      at.platform.db
        .prepare(
          `UPDATE partition_leases SET failure_class = 'data', failed_version = (SELECT version FROM partition_inputs WHERE ${of}) WHERE ${of}`,
        )
        .bind(date, date),
      at.platform.db
        .prepare(
          "INSERT INTO ended_runs (domain, partition_date, run_id, fence, status, started_at, finished_at, rows_in, rows_out, error_message, checks) VALUES ('weather', ?, 'z', 9, 'FAILED', '2026-01-01T00:00:00Z', '2026-01-01T00:00:01Z', NULL, NULL, 'x', ?)",
        )
        .bind(date, checks),
    ]);
    expect(await shown()).toMatchObject({
      status: "FAILED",
      remedy: expect.stringContaining("accept|quarantine|discard"),
    });
    expect(await post(path, { ...decision, action: "quarantine" })).toMatchObject({ status: 409 });
    expect(await post(path, decision)).toMatchObject({
      status: 201,
      body: { decided_by: expect.stringContaining("key_"), run_id: "z" },
    });
    await tick();
    expect(await shown()).toMatchObject({
      ...{ status: "DONE", waits: expect.stringContaining("discarded"), published: { rows: 2 } },
      decisions: [{ action: "discard", reason: "a broken station" }],
    });
  });

  test("rows of partition_meta that an operator deletes come back, and are built to the same rows", async () => {
    const silver = "SELECT event_id FROM silver_weather ORDER BY event_id";
    const before = await at.rows(silver);
    const fence = () =>
      at.platform.db.prepare(`SELECT fence FROM partition_leases WHERE ${of}`).bind(date).first<number>("fence");
    const fenceBefore = (await fence()) ?? 0;
    await run(`DELETE FROM partition_meta WHERE ${of}`);
    expect(await at.rows(silver)).toEqual(before);
    await at.until("it is back", async () => (await statusInD1()) === "DONE");
    expect([await fence(), await at.rows(silver)]).toEqual([fenceBefore + 1, before]);
    expect(await shown()).toMatchObject({ revisions: 1, record_count: 2 });
    await at.until("everything built", () => allBuilt(at.platform));
  });

  test("steps: those that are done stay when the next one fails, and each is told of", async () => {
    const before = await bronzeRows(at.platform, "weather");
    const readings = (ids: readonly string[]) => JSON.stringify(ids.map((id) => weather(id, past)));
    const keys = async () => {
      const { objects } = await at.platform.lake.list({ prefix: `bronze/weather/event_date=${date}/` });
      return objects.map(({ key }) => key);
    };
    await hold();
    await at.post("weather", readings(["k-1", "k-2", "k-3", "k-4"]));
    await registered(before + 4);
    const first = await keys();
    await at.post("weather", readings(["k-5", "k-6"]));
    await registered(before + 6);
    const [key = ""] = (await keys()).filter((each) => !first.includes(each));
    expect(await shown()).toMatchObject({ steps: { done: 0, unread_rows: 6, attempts: 1, splits: 0 } });
    const bytes = (await (await at.platform.lake.get(key))?.arrayBuffer()) ?? new ArrayBuffer(0);
    await at.platform.lake.delete(key);
    await keep("FAILED");
    await release();
    await ticksUntil("FAILED");
    expect(await shown()).toMatchObject({ steps: { done: 1, unread_rows: 3 }, record_count: 2 });
    await at.platform.lake.put(key, bytes);
    await letGo();
    await run(`UPDATE partition_leases SET not_before = 0 WHERE ${of}`);
    await ticksUntil("DONE");
    expect(await shown()).toMatchObject({ steps: { done: 0, unread_rows: 0, attempts: 0 }, record_count: 8 });
  });

  test("a builder that is gone: its message comes again, and the next builder takes over at once", async () => {
    await at.until("everything built", () => allBuilt(at.platform));
    await run(
      `UPDATE partition_leases SET run_id = 'gone', nonce = 'n-1', started_at = '2026-01-01T00:00:00Z', lease_until = 4e12 WHERE ${of}`,
    );
    await run(`UPDATE partition_meta SET status = 'IN_FLIGHT' WHERE ${of}`);
    await tick();
    expect(await shown()).toMatchObject({ status: "IN_FLIGHT", lease: { run_id: "gone" }, steps: { attempts: 1 } });
    const builds = await at.platform.mf.getQueueProducer("BUILDS", "sluice-journal-consumer");
    await builds.send({ domain: "weather", date, nonce: "n-2" });
    await builds.send({ domain: "weather", date, nonce: "n-1" });
    await at.until("it is built", async () => (await statusInD1()) === "DONE");
    const runs = await at.get(`/v1/runs?table=weather&date=${date}`);
    const ended: { run_id: string; status: string }[] = runs.json.runs;
    expect(ended.find(({ run_id }) => run_id === "gone")?.status).toBe("LOST");
    expect(await shown()).toMatchObject({ record_count: 8, retry_count: 0, steps: { done: 0, attempts: 0 } });
  });
});

test("nothing failed on the way", () => {
  expect(at.errors).toEqual([]);
});
