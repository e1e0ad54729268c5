/** sql/schema.sql: the database as all migrations leave it, from SQLite's own account of it. */
import { DatabaseSync } from "node:sqlite";
import { type Migration, readMigrations } from "../local-platform/migrations.ts";

const HEADER = `-- Written by \`npm run docs\` from sql/migrations. Do not edit: a change of the database is a new migration.
-- The text is SQLite's: a column that a later migration added stands where SQLite put it, and is explained there.`;

/** A table, then its indexes and triggers, all by name; after them views with theirs. Running the text makes the same database. */
export function schemaDump(migrations: readonly Migration[]): string {
  const db = new DatabaseSync(":memory:");
  for (const { sql } of migrations) db.exec(sql);
  const made = db.prepare(
    `SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
     ORDER BY tbl_name IN (SELECT name FROM sqlite_schema WHERE type = 'view'), tbl_name, type NOT IN ('table', 'view'), type, name`,
  );
  return `${[HEADER, ...made.all().map((row) => `${String(row["sql"])};`)].join("\n\n")}\n`;
}

/** The page of the migrations in a folder. */
export function schemaPage(folder: string): string {
  return schemaDump(readMigrations(folder));
}
