import { join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import {
  applyMigrations,
  type MigratedDatabase,
  type Migration,
  orderMigrations,
  readMigrations,
} from "../../../../tools/local-platform/migrations.ts";

/** SQLite behind D1's interface: statements run one by one, a batch is one transaction. */
function sqlite(): { db: MigratedDatabase; names: () => string[] } {
  const database = new DatabaseSync(":memory:");
  type Statement = ReturnType<MigratedDatabase["prepare"]>;
  const statement = (sql: string, values: readonly string[]): Statement => ({
    bind: (...bound) => statement(sql, bound),
    all: async () => ({ results: database.prepare(sql).all(...values) }),
  });
  const db: MigratedDatabase = {
    prepare: (sql) => statement(sql, []),
    async batch(statements) {
      database.exec("BEGIN");
      try {
        for (const each of statements) await each.all();
        database.exec("COMMIT");
      } catch (error) {
        database.exec("ROLLBACK");
        throw error;
      }
    },
  };
  const names = () => database.prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").all();
  return { db, names: () => names().map((row) => String(row["name"])) };
}

function migration(name: string, sql: string): Migration {
  return { name, sql, hash: `hash of ${sql}` };
}

describe("orderMigrations", () => {
  it("goes by number, then by name", () => {
    const names = ["10_j.sql", "0002_b.sql", "readme.sql", "0001_a.sql", "2_a.sql"];
    expect(orderMigrations(names)).toEqual(["0001_a.sql", "0002_b.sql", "2_a.sql", "10_j.sql", "readme.sql"]);
  });
});

describe("applyMigrations", () => {
  const first = migration("0001_a.sql", "CREATE TABLE a (x TEXT DEFAULT ';'); -- ; no end\nCREATE TABLE b (x);");
  const second = migration("0002_c.sql", "CREATE TABLE c (x)");

  it("applies each once", async () => {
    const { db, names } = sqlite();
    const hashes = await applyMigrations(db, [first], {});
    expect(names()).toEqual(expect.arrayContaining(["a", "b", "d1_migrations"]));
    expect(await applyMigrations(db, [first, second], hashes)).toEqual({
      "0001_a.sql": first.hash,
      "0002_c.sql": second.hash,
    });
    expect(names()).toContain("c");
    const { results } = await db.prepare("SELECT name FROM d1_migrations ORDER BY id").all();
    expect(results.map((row) => row["name"])).toEqual(["0001_a.sql", "0002_c.sql"]);
  });

  it("refuses when an applied one was changed or removed", async () => {
    const { db } = sqlite();
    const hashes = await applyMigrations(db, [first, second], {});
    const edited = migration(first.name, "CREATE TABLE other (x)");
    await expect(applyMigrations(db, [edited, second], hashes)).rejects.toMatchObject({ code: "MIGRATION_CHANGED" });
    await expect(applyMigrations(db, [first], hashes)).rejects.toThrow(/0002_c.sql is no longer there/);
  });

  it("leaves nothing of one that fails", async () => {
    const { db, names } = sqlite();
    const broken = migration("0001_x.sql", "CREATE TABLE x (x); CREATE TABL y (y);");
    await expect(applyMigrations(db, [broken], {})).rejects.toMatchObject({ code: "MIGRATION_FAILED" });
    expect(names()).not.toContain("x");
  });

  it("applies the project's own", async () => {
    const { db, names } = sqlite();
    const root = resolve(import.meta.dirname, "../../../..");
    await applyMigrations(db, readMigrations(join(root, "sql/migrations")), {});
    expect(names()).toEqual(expect.arrayContaining(["partition_meta", "bronze_files", "published"]));
  });
});
