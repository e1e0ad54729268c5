/** D1 that counts the rows which its answers say were read and written. */
import type { Tally } from "./tally.ts";

/** Each query is prepared as `rewritten`. */
export function countedDatabase(
  database: D1Database,
  tally: Tally,
  rewritten: (query: string) => string = (query) => query,
): D1Database {
  return {
    prepare: (query) => new CountedStatement(database.prepare(rewritten(query)), query, tally),
    async batch<T>(statements: D1PreparedStatement[]) {
      // D1 takes only its own statements.
      const own = statements.map((each) => (each instanceof CountedStatement ? each.own : each));
      const results = await database.batch<T>(own);
      for (const [n, { meta }] of results.entries()) {
        const statement = statements[n];
        tally.ran("d1", statement instanceof CountedStatement ? statement.sql : "", meta.rows_read, meta.rows_written);
      }
      return results;
    },
    exec: (query) => database.exec(query),
    withSession: (constraint) => database.withSession(constraint),
    dump: () => database.dump(),
  };
}

class CountedStatement implements D1PreparedStatement {
  readonly own: D1PreparedStatement;
  readonly sql: string;
  readonly #tally: Tally;

  constructor(own: D1PreparedStatement, sql: string, tally: Tally) {
    this.own = own;
    this.sql = sql;
    this.#tally = tally;
  }

  bind(...values: unknown[]): D1PreparedStatement {
    return new CountedStatement(this.own.bind(...values), this.sql, this.#tally);
  }

  async run<T = Record<string, unknown>>(): Promise<D1Result<T>> {
    return this.#counted(await this.own.run<T>());
  }

  async all<T = Record<string, unknown>>(): Promise<D1Result<T>> {
    return this.#counted(await this.own.all<T>());
  }

  /** By way of `all`, which is the same query and tells its rows. */
  async first<T = Record<string, unknown>>(column?: string): Promise<T | null> {
    const [row] = (await this.all<T>()).results;
    if (row === undefined) return null;
    return column === undefined || typeof row !== "object" || row === null ? row : Reflect.get(Object(row), column);
  }

  raw<T = unknown[]>(options: { columnNames: true }): Promise<[string[], ...T[]]>;
  raw<T = unknown[]>(options?: { columnNames?: false }): Promise<T[]>;
  raw(): never {
    throw new Error("raw() does not tell its rows: the cost bench cannot count it");
  }

  #counted<T>(result: D1Result<T>): D1Result<T> {
    this.#tally.ran("d1", this.sql, result.meta.rows_read, result.meta.rows_written);
    return result;
  }
}
