/** sql/schema.sql says what the database is once every migration ran. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { schemaDump } from "../../../tools/docs/schema.ts";
import { readMigrations } from "../../../tools/local-platform/migrations.ts";

const SQL = resolve(import.meta.dirname, "../../../sql");
const migrations = readMigrations(resolve(SQL, "migrations"));
const committed = readFileSync(resolve(SQL, "schema.sql"), "utf8");

const made = (sql: readonly string[]) => {
  const db = new DatabaseSync(":memory:");
  for (const each of sql) db.exec(each);
  return db.prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name").all();
};

test("the committed dump is that of the migrations", () => {
  expect(committed, "sql/schema.sql is out of date: run `npm run docs` and commit it").toBe(schemaDump(migrations));
});

test("running the dump makes the database that the migrations make", () => {
  expect(made([committed])).toEqual(made(migrations.map(({ sql }) => sql)));
});

test("a further migration changes the dump; its statements stand with their table, views last", () => {
  const sql = "CREATE VIEW a AS SELECT 1; CREATE TABLE zz (x); CREATE INDEX aa_by_x ON zz (x);";
  const dump = schemaDump([...migrations, { name: "9999_more.sql", sql, hash: "" }]);
  expect(dump).not.toBe(committed);
  const at = ["CREATE TABLE zz", "CREATE INDEX aa_by_x", "CREATE VIEW a"].map((text) => dump.indexOf(text));
  expect(at).toEqual(at.toSorted((a, b) => a - b));
  expect(at).not.toContain(-1);
});
