/** D1 of which every query can go wrong, those of single statements too. */

/** Makes a query, named by its method, with what is planned for it. */
export type Query = <R>(call: string, work: () => Promise<R>) => Promise<R>;

export function faultyDatabase(database: D1Database, query: Query): D1Database {
  return {
    prepare: (sql) => new FaultyStatement(database.prepare(sql), query),
    batch: <T>(statements: D1PreparedStatement[]) =>
      // D1 takes only its own statements.
      query("batch", () =>
        database.batch<T>(statements.map((each) => (each instanceof FaultyStatement ? each.own : each))),
      ),
    exec: (sql) => query("exec", () => database.exec(sql)),
    withSession: (constraint) => database.withSession(constraint),
    dump: () => database.dump(),
  };
}

class FaultyStatement implements D1PreparedStatement {
  readonly own: D1PreparedStatement;
  readonly #query: Query;

  constructor(own: D1PreparedStatement, query: Query) {
    this.own = own;
    this.#query = query;
  }

  bind(...values: unknown[]): D1PreparedStatement {
    return new FaultyStatement(this.own.bind(...values), this.#query);
  }

  run<T = Record<string, unknown>>(): Promise<D1Result<T>> {
    return this.#query("run", () => this.own.run<T>());
  }

  all<T = Record<string, unknown>>(): Promise<D1Result<T>> {
    return this.#query("all", () => this.own.all<T>());
  }

  first<T = Record<string, unknown>>(column?: string): Promise<T | null> {
    return this.#query("first", () => (column === undefined ? this.own.first<T>() : this.own.first<T>(column)));
  }

  raw<T = unknown[]>(options: { columnNames: true }): Promise<[string[], ...T[]]>;
  raw<T = unknown[]>(options?: { columnNames?: false }): Promise<T[]>;
  raw<T = unknown[]>(options?: { columnNames?: boolean }): Promise<T[] | [string[], ...T[]]> {
    return this.#query<T[] | [string[], ...T[]]>("raw", () =>
      options?.columnNames === true ? this.own.raw<T>({ columnNames: true }) : this.own.raw<T>(),
    );
  }
}
