/** `createD1` with D1's faults and D1's clock: a call may fail before anything happened, or be done and lose its answer. */
import type { DatabaseSync } from "node:sqlite";
import { createD1, type D1OnSqlite } from "./d1-on-sqlite.ts";

/** `before`: the call throws and nothing happened. `after`: it happened, and the caller gets an error all the same. */
export type D1Fault = "before" | "after";

export class FaultyD1 {
  /** Consumed one per call that reaches D1 (a batch is one call). */
  readonly faults: (D1Fault | undefined)[] = [];
  /** Stands around each call that reaches D1, for a test that needs more than `faults`. */
  around: <R>(work: () => Promise<R>) => Promise<R> = (work) => work();
  readonly #inner: D1OnSqlite;

  /** `now` is D1's clock, milliseconds since the epoch; the machine's own when absent. `sqlite`: as of `createD1`. */
  constructor(now?: () => number, sqlite?: DatabaseSync) {
    this.#inner = createD1(sqlite);
    if (now === undefined) return;
    this.#inner.sqlite.function("unixepoch", { varargs: true }, () => now() / 1_000);
    // Of a format that is always ISO 8601, of now, and of hours more at the most.
    this.#inner.sqlite.function("strftime", { varargs: true }, (_format, _now, hours) =>
      new Date(now() + (hours === undefined ? 0 : Number.parseInt(String(hours), 10) * 3_600_000)).toISOString(),
    );
  }

  /** This database in the shape of the binding. */
  get binding(): D1Database {
    const { d1 } = this.#inner;
    return {
      prepare: (sql) => new FaultyStatement(this, d1.prepare(sql)),
      batch: <T>(statements: D1PreparedStatement[]) => this.call(() => d1.batch<T>(statements.map(innerOf))),
      exec: (sql) => this.call(() => d1.exec(sql)),
      dump: () => d1.dump(),
      withSession: () => d1.withSession(),
    };
  }

  /** Rows of a query, for assertions and for the operator's hand: no fault ever hits it. */
  rows<T>(sql: string, ...values: (string | number | null)[]): T[] {
    return JSON.parse(JSON.stringify(this.#inner.sqlite.prepare(sql).all(...values)));
  }

  /** Every call to D1 comes through here. Its answer is never there in the same tick: others run in between. */
  call<R>(work: () => Promise<R>): Promise<R> {
    return this.around(async () => {
      await Promise.resolve();
      const fault = this.faults.shift();
      if (fault === "before") throw new Error("D1_ERROR: Network connection lost (nothing happened)");
      const result = await work();
      if (fault === "after") throw new Error("D1_ERROR: Network connection lost (it happened)");
      return result;
    });
  }
}

class FaultyStatement implements D1PreparedStatement {
  readonly inner: D1PreparedStatement;
  readonly #d1: FaultyD1;

  constructor(d1: FaultyD1, inner: D1PreparedStatement) {
    this.#d1 = d1;
    this.inner = inner;
  }

  bind(...values: unknown[]): D1PreparedStatement {
    return new FaultyStatement(this.#d1, this.inner.bind(...values));
  }

  first<T>(column?: string): Promise<T | null> {
    return this.#d1.call(() => (column === undefined ? this.inner.first<T>() : this.inner.first<T>(column)));
  }

  all<T>(): Promise<D1Result<T>> {
    return this.#d1.call(() => this.inner.all<T>());
  }

  run<T>(): Promise<D1Result<T>> {
    return this.#d1.call(() => this.inner.run<T>());
  }

  raw(): Promise<never> {
    return Promise.reject(new Error("raw() is not imitated"));
  }
}

function innerOf(statement: D1PreparedStatement): D1PreparedStatement {
  if (!(statement instanceof FaultyStatement)) throw new TypeError("a statement of another database");
  return statement.inner;
}
