/** Migrations that make a table again must lose nothing of it. */
import { resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { readMigrations } from "../../../tools/local-platform/migrations.ts";

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

test("0009 keeps runs and the results of their checks, and the run that holds a lease runs on", () => {
  const db = new DatabaseSync(":memory:");
  const read = () => ({
    runs: db.prepare("SELECT * FROM runs ORDER BY run_id").all(),
    results: db.prepare("SELECT * FROM quality_results ORDER BY run_id, layer, check_name").all(),
    totals: db.prepare("SELECT * FROM run_totals").all(),
  });
  for (const { name, sql } of readMigrations(MIGRATIONS)) {
    if (!name.startsWith("0009")) {
      db.exec(sql);
      continue;
    }
    const at = (seconds: number) => `'2026-11-21T10:00:0${seconds}.000Z'`;
    db.exec(`
      INSERT INTO runs VALUES ('r1', 'orders', '2026-11-21', 1, 'RUNNING', ${at(0)}, NULL, NULL, NULL, NULL), ('r2', 'orders', '2026-11-21', 2, 'RUNNING', ${at(1)}, NULL, NULL, NULL, NULL),
        ('r3', 'orders', '2026-11-21', 3, 'RUNNING', ${at(4)}, NULL, NULL, NULL, NULL);
      UPDATE runs SET status = 'FAILED', finished_at = ${at(1)}, error_message = 'x' WHERE run_id = 'r1';
      UPDATE runs SET status = 'DONE', finished_at = ${at(3)}, rows_in = 5, rows_out = 4 WHERE run_id = 'r2';
      INSERT INTO partition_leases (domain, partition_date, fence, run_id) VALUES ('orders', '2026-11-21', 3, 'r3');
      INSERT INTO quality_results VALUES
        ('r1', 'silver', 'a', 'silver_orders', '2026-11-21', 'sql', NULL, '{"mustBe":0}', 0, 'block', '[1,2]', 'f', ${at(1)}),
        ('r1', 'silver', 'b', 'silver_orders', '2026-11-21', 'rowCount', 2.5, '{"mustBe":0}', 1, 'warn', NULL, NULL, ${at(1)}),
        ('r2', 'silver', 'a', 'silver_orders', '2026-11-21', 'sql', 0, '{"mustBe":0}', 1, 'block', NULL, 'f', ${at(3)});`);
    const before = read();
    db.exec(sql);
    expect(read()).toEqual(before);
    return;
  }
  throw new Error("there is no migration 0009");
});
