/** Each source finds what is wrong, says so in words that the contract admits, and is silent when all is well. */
import { beforeEach, describe, expect, test, vi } from "vitest";
import { type Table, tables } from "../../../../lakehouse/tables/catalog.ts";
import { metadataOf, parkedKey } from "../../../../lakehouse/upkeep/parked/parked-message.ts";
import { noteParked } from "../../../../lakehouse/upkeep/parked/parked-note.ts";
import { diffAlerts, MAX_CHANGES, type OpenAlert } from "../../../../scheduled/alerts/diff.ts";
import { blockedPartitionsSource } from "../../../../scheduled/conditions/blocked-partitions.ts";
import { catalogSizeSource } from "../../../../scheduled/conditions/catalog-size.ts";
import { type Condition, type ConditionSource, MAX_CONDITIONS } from "../../../../scheduled/conditions/condition.ts";
import { deadLetterRateSource } from "../../../../scheduled/conditions/dead-letter-rate.ts";
import { dutyBacklogsSource } from "../../../../scheduled/conditions/duty-backlogs.ts";
import { failedPartitionsSource } from "../../../../scheduled/conditions/failed-partitions.ts";
import { failingCompactionsSource } from "../../../../scheduled/conditions/failing-compactions.ts";
import { lateDataSource } from "../../../../scheduled/conditions/late-data.ts";
import { nativeBuilderSource } from "../../../../scheduled/conditions/native-builder.ts";
import { overdueTablesSource } from "../../../../scheduled/conditions/overdue-tables.ts";
import { parkedMessagesSource } from "../../../../scheduled/conditions/parked-messages.ts";
import { staleTablesSource } from "../../../../scheduled/conditions/stale-tables.ts";
import { pipelineAlert } from "../../../../scheduled/platform-events/pipeline-alert.ts";
import { dutyBacklogs, noteDutyBacklogs } from "../../../../sql/statements/duty-backlogs.ts";
import { checksOf } from "../../../../sql/statements/quality.ts";
import { createD1, type D1OnSqlite } from "../../../oracle/d1-on-sqlite.ts";
import { tableOf } from "../../../oracle/lake.ts";
import { MemoryBucket } from "../../../oracle/memory-bucket.ts";
import { versionSql } from "../../../oracle/version-sql.ts";
import { refusals } from "../platform-events/receiver.ts";

const NOW = Date.UTC(2026, 10, 21, 12, 30);
const iso = (minutesAgo: number) => new Date(NOW - minutesAgo * 60_000).toISOString();

let db: D1OnSqlite;
beforeEach(() => {
  db = createD1();
});

/** What a source finds; every condition is checked as the event it becomes. */
async function find(source: ConditionSource): Promise<readonly Condition[]> {
  const conditions = await source.find(NOW);
  const at = iso(0);
  const events = conditions.map((each) => pipelineAlert(each, { state: "firing", since: at, announced: 1 }, at));
  expect(refusals("pipeline_alerts", events, NOW)).toEqual([]);
  return conditions;
}

function partition(domain: string, status: string, failure: string | null, error: string | null): void {
  db.sqlite
    .prepare(
      "INSERT INTO partition_meta (domain, partition_date, status, run_id, error_message) VALUES (?, '2026-11-20', ?, 'r', ?)",
    )
    .run(domain, status, error);
  db.sqlite
    .prepare("INSERT INTO partition_leases (domain, partition_date, failure_class) VALUES (?, '2026-11-20', ?)")
    .run(domain, failure);
}

describe("failed partitions", () => {
  const source = () => failedPartitionsSource(db.d1, (domain) => domain !== "forgotten");

  test("data failures are critical, system failures a warning until they are dead; what recovers is silent", async () => {
    partition("a", "FAILED", "data", "PartitionTooLargeError: 9 rows, at most 8");
    partition("b", "RETRYING", "system", "Error: D1 is away");
    partition("c", "DEAD", "system", "Error: D1 is away");
    partition("d", "DONE", null, "Error: long ago");
    partition("e", "PENDING", null, null);
    partition("f", "FAILED", "data", "QualityGateError: its own source tells");
    partition("forgotten", "FAILED", "data", "Error: no such table");
    const found = await find(source());
    expect(found.map(({ key, kind, severity }) => [key, kind, severity])).toEqual([
      ["partition_failed/a/2026-11-20", "partition_failed", "critical"],
      ["partition_failed/b/2026-11-20", "partition_failed", "warning"],
      ["partition_dead/c/2026-11-20", "partition_dead", "critical"],
    ]);
    expect(found[0]?.message).toContain("9 rows, at most 8");
  });

  test("an error that may quote a value is named, not shown", async () => {
    partition("a", "FAILED", "data", "ModelValueError: 'jane@example.com' is not a INTEGER in plain notation");
    const [condition] = await find(source());
    expect(condition?.message).toContain("ModelValueError");
    expect(condition?.message).not.toContain("jane");
  });
});

test("blocking checks of the last failed build", async () => {
  partition("orders", "FAILED", "data", "QualityGateError: x");
  const end = db.sqlite.prepare(
    "INSERT INTO ended_runs (domain, partition_date, run_id, fence, status, started_at, finished_at, rows_in, rows_out, error_message, checks) VALUES ('orders', '2026-11-20', ?, ?, 'FAILED', ?, ?, NULL, NULL, 'x', ?)",
  );
  const result = (check_name: string, measured: number, bound: string, passed: number, on_fail: string) => ({
    ...{ layer: "silver", check_name, metric: "duplicateValues", measured, bound, passed, on_fail },
    ...{ failing_rows: null, candidate: "silver/orders/x.parquet" },
  });
  const old = [result("old", 5, '{"mustBe":0}', 0, "block")];
  const last = [
    result("unique", 3, '{"mustBe":0}', 0, "block"),
    result("between", 3, '{"mustBeBetween":[0,1]}', 0, "block"),
    result("only warns", 3, '{"mustBe":0}', 0, "warn"),
    result("passes", 0, '{"mustBe":0}', 1, "block"),
  ];
  end.run("r0", 1, iso(9), iso(8), checksOf("silver_orders", iso(8), old) ?? null);
  end.run("r1", 2, iso(7), iso(6), checksOf("silver_orders", iso(6), last) ?? null);
  const found = await find(blockedPartitionsSource(db.d1));
  expect(found).toMatchObject([
    { key: "quality_gate/orders/2026-11-20/between", measured: 3, runId: "r1" },
    { key: "quality_gate/orders/2026-11-20/unique", measured: 3, bound: 0 },
  ]);
  db.sqlite.exec("UPDATE partition_meta SET status = 'DONE'; UPDATE partition_leases SET failure_class = NULL");
  expect(await find(blockedPartitionsSource(db.d1))).toEqual([]);
});

test("compactions that failed five times, by topic, until they succeed", async () => {
  const insert = db.sqlite.prepare(
    "INSERT INTO compactions (file, topic, inputs, planned_at, queued_at, attempts, error_message) VALUES (?, ?, '[]', ?, ?, ?, ?)",
  );
  const minutes = (n: number) => NOW - n * 60_000;
  insert.run("tried", "orders", iso(900), minutes(40), 4, "TypeError: 'jane@example.com' is no column");
  insert.run("trying", "orders", iso(900), minutes(20), 5, "TypeError: x");
  expect(await find(failingCompactionsSource(db.d1))).toEqual([]);
  insert.run("second", "orders", iso(700), minutes(30), 5, "RangeError: x");
  insert.run("first", "orders", iso(800), minutes(5), 6, "TypeError: 'jane@example.com' is no column");
  insert.run("lost", "weather", iso(600), minutes(300), 5, null);
  const found = await find(failingCompactionsSource(db.d1));
  expect(found).toMatchObject([
    { key: "compaction_failed/orders", severity: "warning", measured: 2, bound: 5 },
    { key: "compaction_failed/weather", measured: 1, message: expect.stringContaining("lost: its messages were lost") },
  ]);
  expect(found[0]?.message).toMatch(/the longest ago first: TypeError\./);
  expect(found[0]?.message).not.toContain("jane");
  db.sqlite.exec("UPDATE compactions SET status = iif(topic = 'orders', 'DONE', 'DROPPED')");
  expect(await find(failingCompactionsSource(db.d1))).toEqual([]);
});

test("what waits for a native builder while none asks, in one condition; not what others wait for", async () => {
  const now = Date.now();
  const source = nativeBuilderSource(db.d1, tables);
  const wait = (domain: string, queued: number) => {
    db.sqlite.exec(`INSERT INTO partition_meta (domain, partition_date, status) VALUES ('${domain}', '2026-11-20', 'PENDING');
      INSERT INTO partition_leases (domain, partition_date, queued_at) VALUES ('${domain}', '2026-11-20', ${queued});`);
  };
  const routed = (domain: string) =>
    db.sqlite.exec(`INSERT INTO native_partitions VALUES ('${domain}', '2026-11-20', 'large', '2026-11-20T00:00:00Z')`);
  wait("orders", now - 900_000);
  expect(await find(source)).toEqual([]);
  wait("daily_order_revenue", now - 600_000);
  routed("daily_order_revenue");
  wait("payment_success_rate", now - 10_000);
  routed("payment_success_rate");
  expect(await find(source)).toMatchObject([
    {
      ...{ key: "needs_native_builder", kind: "native_builder", severity: "warning", measured: 2 },
      message: expect.stringMatching(
        /^2 partitions wait .* daily_order_revenue 2026-11-20 for 1[01] minutes, and none was heard from in the last day\..*npx sluice builder/,
      ),
    },
  ]);
  db.sqlite.exec(`INSERT INTO builders VALUES ('b', 'host', 'v1', 1, 1, 0, ${now - 360_000}, 0, NULL)`);
  expect((await find(source))[0]?.message).toContain("for 6 minutes");
  db.sqlite.exec(`UPDATE builders SET seen_at = ${now - 60_000}`);
  expect(await find(source)).toEqual([]);
  db.sqlite.exec("DELETE FROM builders; UPDATE partition_meta SET status = 'DONE'");
  expect(await find(source)).toEqual([]);
});

test("a database near its limit: a warning from half of it, critical from four fifths; each environment has its own", async () => {
  const bytes = Number(
    db.sqlite.prepare("SELECT page_count * page_size AS n FROM pragma_page_count, pragma_page_size").get()?.["n"],
  );
  expect(await find(catalogSizeSource(db.d1, "0"))).toEqual([]);
  expect(await find(catalogSizeSource(db.d1, String(bytes * 2 + 2)))).toEqual([]);
  const of = (limit: number) => find(catalogSizeSource(db.d1, String(limit)));
  expect(await of(bytes * 2)).toMatchObject([
    { key: "catalog_size", kind: "catalog_size", severity: "warning", measured: bytes, bound: bytes },
  ]);
  expect((await of(bytes * 2))[0]?.message).toMatch(/50 % of .*The catalog grows/);
  expect(await of(bytes / 0.8)).toMatchObject([{ severity: "critical" }]);
  for (const text of ["", "ten", "-1"])
    await expect(find(catalogSizeSource(db.d1, text))).rejects.toThrow(/CATALOG_LIMIT_BYTES is .* a number of bytes/);
});

test("parked messages, by queue", async () => {
  const bucket = new MemoryBucket();
  const list = vi.spyOn(bucket, "list");
  const park = (queue: string, id: string, detail: string) =>
    bucket.put(parkedKey(queue, id), "x", {
      customMetadata: metadataOf({ cause: "data", detail, attempts: 1, sent: "" }),
    });
  expect(await find(parkedMessagesSource(bucket))).toEqual([]);
  expect(await find(parkedMessagesSource(bucket))).toEqual([]);
  expect(list).toHaveBeenCalledTimes(2);
  // Nothing is known to be parked, and no list asks for it.
  expect(await find(parkedMessagesSource(bucket))).toEqual([]);
  expect(list).toHaveBeenCalledTimes(2);
  await park("sluice-local-orders", "1", "not a packed message: the header is cut short");
  await park("sluice-local-orders", "2", "other");
  for (let i = 0; i < 1_001; i++) await park("sluice-local-users", String(i), "x");
  expect(await find(parkedMessagesSource(bucket))).toEqual([]);
  await noteParked(bucket);
  const found = await find(parkedMessagesSource(bucket));
  expect(found).toMatchObject([
    { key: "message_parked/sluice-local-orders", measured: 2, severity: "critical" },
    { key: "message_parked/sluice-local-users", measured: 1_000 },
  ]);
  expect(found[0]?.message).toContain("the header is cut short");
  expect(found[1]?.message).toContain("1000 or more");
});

test("tables that are older than is promised, with whose turn it is; of a model what its inputs promise and it waits", async () => {
  const promised = (topic: string, freshnessMs?: number): Table => {
    const table = tableOf("orders");
    if (table.kind !== "topic") throw new Error("no topic");
    const sla = { retentionMs: 1, ...(freshnessMs === undefined ? {} : { freshnessMs }) };
    return { ...table, domain: topic, name: `silver_${topic}`, contract: { ...table.contract, topic, sla } };
  };
  const made = (name: string, ...inputs: readonly (readonly [table: string, kind: "same" | "latest"])[]): Table => {
    const table = tableOf("daily_order_revenue");
    if (table.kind !== "model") throw new Error("no model");
    const read = inputs.map(([input, kind]) => ({ table: input, columns: [], relation: { kind } }));
    return { ...table, domain: name, name, model: { ...table.model, name, inputs: read } };
  };
  const all = [
    promised("a", 3_600_000),
    promised("b", 3_600_000),
    promised("c", 3_600_000),
    promised("d", 3_600_000),
    promised("e"),
    // Of c and a an hour each, and a quarter of one that it waits; of gold_ac that again, and of e nothing.
    made("gold_ac", ["silver_a", "same"], ["silver_c", "same"]),
    made("gold_all", ["gold_ac", "same"], ["silver_e", "same"]),
    made("gold_looks", ["silver_e", "same"], ["silver_c", "latest"]),
  ];
  const file = db.sqlite.prepare("INSERT INTO bronze_files VALUES (?, ?, 0, 1, 'i', ?, 1, 1, ?, ?, ?, NULL, 1)");
  // a: fresh. b: nobody sends. c: builds hang. d: never received. e: promises nothing.
  for (const [topic, received, built] of [
    ["a", 5, 4],
    ["b", 90, 89],
    ["c", 1, 120],
    ["e", 999, 998],
  ] as const) {
    file.run(`${topic}-old`, topic, 0, iso(received + 500), iso(received + 500), iso(received + 500));
    file.run(topic, topic, 1, iso(received), iso(received), iso(received));
    const table = `silver_${topic}`;
    db.sqlite.exec(versionSql({ table, version: 1, date: "2026-11-21", at: iso(built) }));
    db.sqlite.exec(versionSql({ table, version: 2, date: "2026-11-19", at: iso(0) }));
  }
  for (const table of ["gold_ac", "gold_all", "gold_looks"])
    db.sqlite.exec(versionSql({ table, version: 1, date: "2026-11-21", at: iso(93) }));
  const found = await find(overdueTablesSource(db.d1, all));
  expect(found).toMatchObject([
    { key: "freshness/b", measured: 5_400, bound: 3_600, message: expect.stringContaining("see its producers") },
    { key: "freshness/c", measured: 7_200, message: expect.stringContaining("see its builds") },
    { key: "freshness/gold_ac/a", measured: 5_580, bound: 4_620, domain: "gold_ac" },
    { key: "freshness/gold_ac/c", measured: 5_580, bound: 4_620 },
  ]);
  db.sqlite.exec(`UPDATE versions SET committed_at = '${iso(95)}' WHERE table_name = 'gold_all'`);
  expect((await find(overdueTablesSource(db.d1, all))).slice(4)).toMatchObject([
    { key: "freshness/gold_all/a", bound: 5_640, message: expect.stringContaining("the contract of a") },
    { key: "freshness/gold_all/c", bound: 5_640 },
  ]);
});

test("the share of refused events in the last full hour, where it says something", async () => {
  const line = db.sqlite.prepare(
    "INSERT INTO ledger (topic, shard, shard_of, incarnation, hour, detail, events) VALUES (?, 0, 1, 'i', ?, ?, ?)",
  );
  const hour = (h: number, topic: string, accepted: number, rejected: number) => {
    const at = `2026-11-21T${h}:00:00Z`;
    if (accepted > 0) line.run(topic, at, "", accepted);
    if (rejected > 0) line.run("dead_letters", at, `${topic}|MISSING_FIELD`, rejected);
  };
  hour(11, "fine", 1_000, 50);
  hour(11, "warned", 90, 10);
  hour(11, "broken", 0, 100);
  hour(11, "few", 1, 50);
  hour(12, "now", 0, 1_000);
  hour(10, "before", 0, 1_000);
  expect(await find(deadLetterRateSource(db.d1))).toMatchObject([
    { key: "dead_letter_rate/broken", severity: "critical", measured: 1, bound: 0.1 },
    { key: "dead_letter_rate/warned", severity: "warning", measured: 0.1 },
  ]);
});

test("no source reads a whole table", async () => {
  const plans: string[] = [];
  const spied: D1Database = {
    prepare(sql) {
      const bound = new Set(sql.match(/\?\d/g)).size;
      const plan = db.sqlite.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...Array.from({ length: bound }, () => "[]"));
      plans.push(...plan.map(({ detail }) => String(detail).replace("COVERING ", "")));
      return db.d1.prepare(sql);
    },
    batch: (statements) => db.d1.batch(statements),
    exec: (sql) => db.d1.exec(sql),
    dump: () => db.d1.dump(),
    withSession: () => db.d1.withSession(),
  };
  for (const source of [
    failedPartitionsSource(spied, () => true),
    blockedPartitionsSource(spied),
    overdueTablesSource(spied, tables),
    deadLetterRateSource(spied),
    lateDataSource(spied, ["orders"]),
  ]) {
    await source.find(NOW);
  }
  const scans = plans.filter(
    (plan) => plan.startsWith("SCAN") && !/VIRTUAL TABLE|^SCAN (f|r|\(subquery.*)$/.test(plan),
  );
  expect(scans).toEqual([
    "SCAN m USING INDEX partition_meta_active",
    "SCAN m USING INDEX partition_meta_active",
    "SCAN partition_leases USING INDEX partition_leases_revised",
  ]);
});

test("late data, for a day", async () => {
  const add = (domain: string, revisions: number, hoursAgo: number) => {
    partition(domain, "DONE", null, null);
    db.sqlite.prepare("UPDATE partition_leases SET revisions = ? WHERE domain = ?").run(revisions, domain);
    db.sqlite.prepare("UPDATE partition_meta SET processed_at = ? WHERE domain = ?").run(iso(hoursAgo * 60), domain);
  };
  add("orders", 2, 1);
  add("weather", 1, 30);
  add("users", 0, 1);
  add("daily_order_revenue", 1, 1);
  expect(await find(lateDataSource(db.d1, ["orders", "weather", "users"]))).toMatchObject([
    { key: "late_data/orders/2026-11-20", measured: 2, severity: "info" },
  ]);
});

describe("what changed", () => {
  const condition = (key: string, more: Partial<Condition> = {}): Condition => ({
    key,
    kind: "freshness",
    severity: "warning",
    message: key,
    ...more,
  });
  const open = (key: string, source = "s"): OpenAlert => ({
    key,
    source,
    since: iso(60),
    announced: 1,
    lastAnnounced: iso(60),
    condition: condition(key),
  });
  const diff = (before: readonly OpenAlert[], conditions: readonly Condition[] | "failed", repeatMs = 7_200_000) =>
    diffAlerts(before, [{ source: "s", conditions }], NOW, repeatMs);

  test("a source that finds too much is cut, and nothing of it is resolved", () => {
    const many = Array.from({ length: MAX_CONDITIONS + 1 }, (_, i) => condition(`n${i}`));
    const { opened, resolved } = diff([open("gone")], many);
    expect(opened).toHaveLength(MAX_CONDITIONS);
    expect(resolved).toEqual([]);
  });

  test("one tick says so much; the rest is said by the next", () => {
    const before = Array.from({ length: MAX_CHANGES + 5 }, (_, i) => open(`n${i}`));
    expect(diff(before, []).events).toHaveLength(MAX_CHANGES);
  });

  test("worse is said at once; other numbers are kept and not said; a source that is no more resolves", () => {
    expect(diff([open("k")], [condition("k", { severity: "critical" })]).repeated).toMatchObject([{ announced: 2 }]);
    const quiet = diff([open("k")], [condition("k", { measured: 9, severity: "info" })]);
    expect(quiet).toMatchObject({ events: [], refreshed: [{ condition: { measured: 9, severity: "warning" } }] });
    expect(diff([open("k")], [condition("k")], 3_600_000).events).toMatchObject([{ event: { state: "firing" } }]);
    const info = { ...open("k"), condition: condition("k", { severity: "info" }) };
    expect(diff([info], [info.condition], 3_600_000).events).toEqual([]);
    expect(diff([open("k", "another")], []).resolved).toHaveLength(1);
    expect(diff([open("k")], "failed").resolved).toEqual([]);
  });
});

test("a duty that leaves work behind for an hour is told until it is done, from its first tick on", async () => {
  const source = dutyBacklogsSource(db.d1);
  const left = (duty: string, cursor: string | null = null) => ({ duty, cursor });
  await noteDutyBacklogs(db.d1, [left("retention"), left("watchdog", "a")], [], iso(61));
  await noteDutyBacklogs(db.d1, [left("retention"), left("tombstones")], [], iso(59));
  await noteDutyBacklogs(db.d1, [left("watchdog", "b")], ["payloads"], iso(58));
  expect(await dutyBacklogs(db.d1)).toEqual([
    { duty: "retention", since: iso(61), cursor: null },
    { duty: "tombstones", since: iso(59), cursor: null },
    { duty: "watchdog", since: iso(61), cursor: "b" },
  ]);
  expect(await find(source)).toMatchObject([
    { key: "upkeep_behind/retention", severity: "warning", measured: 61, bound: 60 },
    { key: "upkeep_behind/watchdog" },
  ]);
  await noteDutyBacklogs(db.d1, [], ["retention", "watchdog"], iso(0));
  expect(await find(source)).toEqual([]);
});

test("a table that a deploy changed is told until no partition is of the time before, and why it takes so long", async () => {
  const add = (table: string, extra: string) =>
    db.sqlite.exec(`
      INSERT INTO table_generations (table_name, generation, content, meaning, released_at, since, walking, shown_version, backfill_id)
        VALUES ('${table}', 'new', 'c', '{}', '${iso(5)}', '${iso(4)}', 1, ${extra});
      INSERT INTO versions (table_name, version, partition_date, run_id, fence, kind, rows, rows_added, digest, committed_at, generation) VALUES
        ('${table}', 1, '2026-11-19', 'r', 1, 'commit', 1, 1, '', '${iso(60)}', 'old'), ('${table}', 2, '2026-11-20', 'r', 1, 'commit', 1, 1, '', '${iso(60)}', NULL),
        ('${table}', 3, '2026-11-21', 'r', 1, 'commit', 1, 1, '', '${iso(3)}', 'new');
      INSERT INTO published (table_name, partition_date, version, rows) SELECT table_name, partition_date, version, rows FROM versions WHERE table_name = '${table}';`);
  add("gold_a", "3, NULL");
  add("silver_b", "NULL, NULL");
  add("gold_c", "3, 'b1'");
  partition("b", "FAILED", "data", "Error: x");
  db.sqlite.exec(
    `INSERT INTO backfills VALUES ('b1', 'gold_c', 'gold', '', '', 'completed', 4, 'deploy', '${iso(3)}', '${iso(2)}', '${iso(2)}')`,
  );
  const found = await find(staleTablesSource(db.d1, iso(5), () => true));
  expect(found.map(({ key, severity, measured }) => [key, severity, measured])).toEqual([
    ["table_stale/gold_a", "info", 2],
    ["table_stale/gold_c", "warning", 2],
    ["table_stale/silver_b", "critical", 2],
  ]);
  expect(found.map(({ message }) => message.includes("as it was before"))).toEqual([true, true, false]);
  // A rollback brought an older deploy back: it says what makes it the one that counts.
  const [older] = await find(staleTablesSource(db.d1, iso(9), () => true));
  expect(older).toMatchObject({ severity: "critical" });
  expect(older?.message).toContain("UPDATE table_generations");
  db.sqlite.exec("UPDATE versions SET generation = 'new'");
  expect(await find(staleTablesSource(db.d1, iso(5), () => true))).toEqual([]);
  // What a newer deploy removed is told by an older one that has it, and by nobody else.
  db.sqlite.exec("UPDATE table_generations SET content = '', walking = 0 WHERE table_name = 'gold_a'");
  expect(await find(staleTablesSource(db.d1, iso(5), () => true))).toEqual([]);
  expect(await find(staleTablesSource(db.d1, iso(9), (name) => name !== "gold_a"))).toEqual([]);
  const gone = await find(staleTablesSource(db.d1, iso(9), () => true));
  expect(gone).toEqual([expect.objectContaining({ key: "table_stale/gold_a", severity: "critical" })]);
  expect(gone[0]?.message).toContain("UPDATE table_generations");
});
