/** D1 migrations, in wrangler's order and recorded in wrangler's table, so that `wrangler d1 migrations` agrees. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { CommandProblem } from "../command-problem.ts";

export interface Migration {
  /** The file's name, which the table records. */
  readonly name: string;
  readonly sql: string;
  /** SHA-256 of the text, hex. */
  readonly hash: string;
}

/** What is needed of a D1 database. */
export interface MigratedDatabase {
  prepare(sql: string): PreparedStatement;
  batch(statements: PreparedStatement[]): Promise<unknown>;
}

interface PreparedStatement {
  bind(...values: string[]): PreparedStatement;
  all(): Promise<{ readonly results: readonly Record<string, unknown>[] }>;
}

/** As wrangler makes it. */
const CREATE_TABLE = `CREATE TABLE IF NOT EXISTS d1_migrations (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  name       TEXT UNIQUE,
  applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
)`;

/** The migrations of a folder, by the number that their names begin with. */
export function readMigrations(dir: string): Migration[] {
  return orderMigrations(readdirSync(dir).filter((name) => name.endsWith(".sql"))).map((name) => {
    const sql = readFileSync(join(dir, name), "utf8");
    return { name, sql, hash: createHash("sha256").update(sql).digest("hex") };
  });
}

/** Ascending by leading number, equal ones by name; names without a number come last. */
export function orderMigrations(names: readonly string[]): string[] {
  const numberOf = (name: string) => {
    const number = Number.parseInt(name, 10);
    return Number.isNaN(number) ? Number.MAX_SAFE_INTEGER : number;
  };
  return [...names].sort((a, b) => numberOf(a) - numberOf(b) || (a < b ? -1 : a > b ? 1 : 0));
}

/**
 * Applies what is not applied yet; each migration and its record are one transaction. `applied` are the hashes of earlier
 * runs, the result those of now. Throws CommandProblem: MIGRATION_CHANGED when an applied migration was edited or removed
 * since (the storage no longer is what the code expects), MIGRATION_FAILED with SQLite's message.
 */
export async function applyMigrations(
  db: MigratedDatabase,
  migrations: readonly Migration[],
  applied: Readonly<Record<string, string>>,
): Promise<Record<string, string>> {
  await db.prepare(CREATE_TABLE).all();
  const recorded = await db.prepare("SELECT name FROM d1_migrations ORDER BY id").all();
  const names = new Set(recorded.results.map((row) => String(row["name"])));
  const known = new Set(migrations.map((migration) => migration.name));
  for (const name of names) if (!known.has(name)) throw changed(name, "is no longer there");
  for (const migration of migrations) {
    const { name, hash } = migration;
    const before = applied[name];
    if (!names.has(name)) await applyMigration(db, migration);
    else if (before !== undefined && before !== hash) throw changed(name, "was changed");
  }
  return Object.fromEntries(migrations.map(({ name, hash }) => [name, hash]));
}

async function applyMigration(db: MigratedDatabase, { name, sql }: Migration): Promise<void> {
  // Loaded here: it takes two seconds, and most who come to this file only read migrations.
  const { unstable_splitSqlQuery } = await import("wrangler");
  const statements = unstable_splitSqlQuery(sql).map((statement) => db.prepare(statement));
  const record = db.prepare("INSERT INTO d1_migrations (name) VALUES (?)").bind(name);
  try {
    await db.batch([...statements, record]);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CommandProblem("MIGRATION_FAILED", `Migration ${name} failed: ${reason}`, { cause: error });
  }
}

function changed(name: string, how: string): CommandProblem {
  return new CommandProblem(
    "MIGRATION_CHANGED",
    `Migration ${name} ${how} after it had been applied to this state.\n` +
      'Start afresh with "npm run reset", or bring the migration back and put the change into a new one.',
  );
}
