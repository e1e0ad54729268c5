/**
 * A D1 database on Node's SQLite, with the project's migrations applied: the same SQL dialect, atomic batches. It fails on
 * demand as D1 does when it is down: every statement rejects.
 */
import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { migratedDatabase } from "./migrated-database.ts";

export interface D1OnSqlite {
  readonly d1: D1Database;
  readonly sqlite: DatabaseSync;
  /** Statements run so far. */
  queries(): number;
  /** From now on, whether statements are answered. */
  setDown(down: boolean): void;
}

/** `sqlite`: a database of the test's own, if it must not begin empty, or not at the last migration. */
export function createD1(sqlite = migratedDatabase()): D1OnSqlite {
  let down = false;
  let queries = 0;
  /** The same statements run again and again: SQLite would read and plan each anew. */
  const prepared = new Map<string, StatementSync>();
  const pragma = (name: string): number => Number(sqlite.prepare(`PRAGMA ${name}`).get()?.[name]);
  const meta = {
    ...META,
    /** Few ask, and nearly every test queries: it is computed when it is read. */
    get size_after() {
      return pragma("page_count") * pragma("page_size");
    },
  };

  function run<T>(sql: string, values: readonly unknown[]): D1Result<T> {
    queries++;
    if (down) throw new Error("D1_ERROR: Network connection lost.");
    const statement = prepared.get(sql) ?? sqlite.prepare(sql);
    prepared.set(sql, statement);
    const rows = statement.all(...values.map(inputOf));
    // A trip through JSON gives plain objects, as D1's own transport does.
    const results: T[] = JSON.parse(JSON.stringify(rows));
    return { success: true, results, meta };
  }

  function statement(sql: string, values: readonly unknown[]): Statement {
    async function first<T>(column?: string): Promise<T | null> {
      const row = run<Record<string, T> & T>(sql, values).results[0];
      if (row === undefined) return null;
      return column === undefined ? row : (row[column] ?? null);
    }
    return {
      sql,
      values,
      bind: (...bound: unknown[]) => statement(sql, bound),
      first,
      run: async <T>() => run<T>(sql, values),
      all: async <T>() => run<T>(sql, values),
      raw: (): Promise<never> => Promise.reject(new Error("raw() is not imitated")),
    };
  }

  const d1: D1Database = {
    prepare: (sql) => statement(sql, []),
    async batch<T>(statements: D1PreparedStatement[]) {
      sqlite.exec("BEGIN");
      try {
        const results = statements.map((each) => {
          if (!("sql" in each && "values" in each && typeof each.sql === "string" && Array.isArray(each.values))) {
            throw new Error("not a statement of this database");
          }
          return run<T>(each.sql, each.values);
        });
        sqlite.exec("COMMIT");
        return results;
      } catch (error) {
        sqlite.exec("ROLLBACK");
        throw error;
      }
    },
    async exec(sql) {
      sqlite.exec(sql);
      return { count: 1, duration: 0 };
    },
    withSession: () => {
      throw new Error("sessions are not imitated");
    },
    dump: () => Promise.reject(new Error("dump() is not imitated")),
  };
  return {
    d1,
    sqlite,
    queries: () => queries,
    setDown(value) {
      down = value;
    },
  };
}

interface Statement extends D1PreparedStatement {
  readonly sql: string;
  readonly values: readonly unknown[];
}

const META = {
  duration: 0,
  rows_read: 0,
  rows_written: 0,
  last_row_id: 0,
  changed_db: false,
  changes: 0,
};

function inputOf(value: unknown): SQLInputValue {
  if (value === null || typeof value === "string" || typeof value === "number" || typeof value === "bigint")
    return value;
  if (typeof value === "boolean") return value ? 1 : 0;
  throw new Error(`D1_TYPE_ERROR: a ${typeof value} cannot be bound`);
}
