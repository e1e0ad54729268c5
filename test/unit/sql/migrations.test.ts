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
