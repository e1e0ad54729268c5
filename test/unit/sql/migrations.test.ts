/** Migrations that make a table again must lose nothing of it. */
import { resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { parseProgress } from "../../../lakehouse/builds/silver/progress.ts";
import { acquireLease } from "../../../sql/statements/leases.ts";
import { activePartitions } from "../../../sql/statements/partitions.ts";
import { checksOf } from "../../../sql/statements/quality.ts";
import { silverProgress } from "../../../sql/statements/silver-progress.ts";
import { readMigrations } from "../../../tools/local-platform/migrations.ts";
import { createD1 } from "../../oracle/d1-on-sqlite.ts";

const MIGRATIONS = resolve(import.meta.dirname, "../../../sql/migrations");

test("0003 keeps the results of checks, and lets a measure be null", () => {
  const db = new DatabaseSync(":memory:");
  const columns =
    "run_id, layer, check_name, table_name, partition_date, metric, measured, bound, passed, on_fail, failing_rows, candidate, checked_at";
  const insert = (run: string, measured: string) =>
    db.exec(
      `INSERT INTO quality_results (${columns}) VALUES ('${run}', 'silver', 'c', 't', '2026-11-21', 'rowCount', ${measured}, '{}', 1, 'warn', '[1]', 'f', 'now')`,
    );
  const rows = () => db.prepare(`SELECT ${columns} FROM quality_results ORDER BY run_id`).all();
  for (const { name, sql } of readMigrations(MIGRATIONS)) {
    if (!name.startsWith("0003")) {
      db.exec(sql);
      continue;
    }
    insert("before", "2.5");
    const before = rows();
    db.exec(sql);
    expect(rows()).toEqual(before);
    insert("after", "NULL");
    break;
  }
  expect(rows()).toHaveLength(2);
});

test("0009: runs and results of checks from before are told, and those that the version before writes on", () => {
  const db = new DatabaseSync(":memory:");
  for (const { sql } of readMigrations(MIGRATIONS)) db.exec(sql);
  const at = (seconds: number) => `'2026-11-21T10:00:0${seconds}.000Z'`;
  db.exec(`
    INSERT INTO runs VALUES ('r1', 'orders', '2026-11-21', 1, 'RUNNING', ${at(0)}, NULL, NULL, NULL, NULL),
      ('r2', 'orders', '2026-11-21', 2, 'RUNNING', ${at(4)}, NULL, NULL, NULL, NULL);
    UPDATE runs SET status = 'FAILED', finished_at = ${at(1)}, error_message = 'x' WHERE run_id = 'r1';
    INSERT INTO partition_leases (domain, partition_date, fence, run_id) VALUES ('orders', '2026-11-21', 2, 'r2');
    INSERT INTO quality_results VALUES
      ('r1', 'silver', 'a', 'silver_orders', '2026-11-21', 'sql', NULL, '{"mustBe":0}', 0, 'block', '[1,2]', 'f', ${at(1)});
    INSERT INTO ended_runs (domain, partition_date, run_id, fence, status, started_at, finished_at, rows_in, rows_out, error_message, checks) VALUES ('weather', '2026-11-21', 'r3', 1, 'DONE', ${at(2)}, ${at(3)}, 5, 4, NULL, '${checksOf(
      "silver_weather",
      "t",
      [
        {
          ...{ layer: "silver", check_name: "b", metric: "rowCount", measured: 2, bound: "{}", passed: 1 },
          ...{ on_fail: "warn", failing_rows: null, candidate: null },
        },
      ],
    )}');`);
  expect(db.prepare("SELECT run_id, status, started_at FROM run_history ORDER BY run_id").all()).toMatchObject([
    { run_id: "r1", status: "FAILED" },
    { run_id: "r2", status: "RUNNING", started_at: "2026-11-21T10:00:04.000Z" },
    { run_id: "r3", status: "DONE" },
  ]);
  expect(db.prepare("SELECT table_name, measured, failing_rows FROM check_history ORDER BY 1").all()).toMatchObject([
    { table_name: "silver_orders", measured: null, failing_rows: "[1,2]" },
    { table_name: "silver_weather", measured: 2, failing_rows: null },
  ]);
});

test("0016: records are those of the last build, a row that never was built keeps none, and the statements of operators work on old rows", () => {
  const db = new DatabaseSync(":memory:");
  for (const { name, sql } of readMigrations(MIGRATIONS)) {
    if (name.startsWith("0016")) {
      db.exec(`
        INSERT INTO partition_meta (domain, partition_date, status, record_count, silver_records, gold_records, processed_at, retry_count) VALUES
          ('orders', '2026-11-20', 'DONE', 7, 5, 0, '2026-11-21T00:00:00.000Z', 0),
          ('daily', '2026-11-20', 'DONE', 5, 0, 2, '2026-11-21T00:00:00.000Z', 0),
          ('orders', '2026-11-21', 'DEAD', 0, 0, 0, NULL, 5);
        INSERT INTO partition_inputs VALUES ('orders', '2026-11-20', 3, 3);
        INSERT INTO partition_leases (domain, partition_date, fence, not_before) VALUES ('orders', '2026-11-20', 4, 0), ('orders', '2026-11-21', 6, 9);`);
    }
    db.exec(sql);
  }
  expect(
    db.prepare("SELECT domain, record_count FROM partition_meta ORDER BY domain, partition_date").all(),
  ).toMatchObject([
    { domain: "daily", record_count: 2 },
    { domain: "orders", record_count: 5 },
    { domain: "orders", record_count: 0 },
  ]);
  db.exec("UPDATE partition_meta SET status = 'PENDING' WHERE status = 'DEAD'");
  db.exec("DELETE FROM partition_meta WHERE domain = 'orders' AND partition_date = '2026-11-20'");
  expect(db.prepare("SELECT status, retry_count FROM partition_meta WHERE domain = 'orders'").all()).toMatchObject([
    { status: "PENDING", retry_count: 0 },
  ]);
  expect(db.prepare("SELECT fence, not_before FROM partition_leases ORDER BY partition_date").all()).toMatchObject([
    { fence: 4, not_before: 0 },
    { fence: 6, not_before: 0 },
  ]);
  // Discovered anew, and by no news: a rebuild of the same inputs is no late data.
  expect(db.prepare("SELECT version - built_version AS unbuilt FROM partition_inputs").get()).toMatchObject({
    unbuilt: 1,
  });
  expect(db.prepare("SELECT replays, built_replays FROM partition_replays").get()).toMatchObject({
    replays: 1,
    built_replays: 0,
  });
});

test("0019: a build that an older version has begun is nobody's to take over, and goes on from its candidate when its lease is free", async () => {
  const progress = { definition: "d", columns: {}, seen: 4, digest: "", inputs: 1, rowsIn: 9, kept: 9, quarantined: 0 };
  const rest = { taking: [], measures: {}, terms: { duplicates: [], outcomes: [] }, keys: {}, replaced: [] };
  const db = new DatabaseSync(":memory:");
  for (const { name, sql } of readMigrations(MIGRATIONS)) {
    if (name.startsWith("0019")) {
      db.exec(`
        INSERT INTO partition_meta (domain, partition_date, status) VALUES ('orders', '2026-11-20', 'IN_FLIGHT');
        INSERT INTO partition_leases (domain, partition_date, fence, run_id, lease_until) VALUES ('orders', '2026-11-20', 4, 'old', 4000000000000);
        INSERT INTO silver_progress VALUES ('orders', '2026-11-20', 'candidate', 'b', 'r', 1, 'empty', 0, '${JSON.stringify({ ...progress, ...rest })}', '');`);
    }
    db.exec(sql);
  }
  const { d1 } = createD1(db);
  const wanted = { domain: "orders", date: "2026-11-20", runId: "new", leaseMs: 1_000 };
  expect(await acquireLease(d1, { ...wanted, nonce: null })).toBeUndefined();
  expect(await acquireLease(d1, { ...wanted, nonce: "n" })).toBeUndefined();
  db.exec("UPDATE partition_leases SET lease_until = 1; UPDATE partition_meta SET status = 'RETRYING'");
  const lease = await acquireLease(d1, { ...wanted, nonce: "n" });
  expect(lease).toMatchObject({ fence: 5, vanished: 1, splits: 0, pieces: 0 });
  const { candidate } = await silverProgress(d1, "silver_orders", "orders", "2026-11-20");
  expect(parseProgress(candidate?.progress ?? "", "orders", "2026-11-20")).toMatchObject({ seen: 4, partRead: 0 });
});

test("0022: what was published before was judged by all checks: nothing is built for them, and the statements of the version before go on", async () => {
  const db = new DatabaseSync(":memory:");
  const leases = (from: number) =>
    db.exec(`
      INSERT INTO partition_meta (domain, partition_date, status) VALUES ${days(from, (date) => `('orders', '${date}', 'DONE')`)};
      INSERT INTO partition_inputs (domain, partition_date, version, built_version) VALUES ${days(from, (date) => `('orders', '${date}', 3, 3)`)};
      INSERT INTO partition_leases (domain, partition_date, fence) VALUES ${days(from, (date) => `('orders', '${date}', 3)`)};`);
  const days = (from: number, row: (date: string) => string) =>
    Array.from({ length: 9 }, (_, n) => row(`2026-11-${from + n}`)).join(", ");
  for (const { name, sql } of readMigrations(MIGRATIONS)) {
    if (name.startsWith("0022")) leases(10);
    db.exec(sql);
  }
  leases(20);
  db.exec(
    "UPDATE partition_leases SET run_id = NULL, lease_until = 0, queued_at = 0, late = 0 WHERE domain = 'orders'",
  );
  expect((await activePartitions(createD1(db).d1)).rows).toEqual([]);
});
