/**
 * Rows of D1 as values with types. D1 believes the type argument of its `all`, so a column that a person
 * edited, or that another version wrote, would surface far from its table. Here each column is read by a method that looks at it
 * and throws a `RowError` that names the table, the key, the column and what to do.
 *
 *     const keys = rowsOf({ table: "api_keys", key: ["key_id"], remedy: "revoke the key" }, (row) => ({
 *       producer: row.text("producer"),
 *       kind: row.oneOf("kind", ["secret", "publishable"]),
 *     }));
 *     await keys.all(db.prepare("SELECT key_id, producer, kind FROM api_keys"));
 */
import type * as z from "zod";
import { RowError, type RowSource, type RowValues } from "./row-error.ts";

/** A row whose columns are read one by one. Every method throws `RowError`. */
export class Row {
  readonly #source: RowSource;
  readonly #values: RowValues;

  constructor(source: RowSource, values: RowValues) {
    this.#source = source;
    this.#values = values;
  }

  text(column: string): string {
    const value = this.#values[column];
    return typeof value === "string" ? value : this.#fail(column, "a text");
  }

  textOrNull(column: string): string | null {
    return this.#values[column] === null ? null : this.text(column);
  }

  /** A whole number that a double holds exactly. */
  integer(column: string): number {
    const value = this.#values[column];
    return typeof value === "number" && Number.isSafeInteger(value) ? value : this.#fail(column, "a whole number");
  }

  /** How many there are, or how far in: a whole number that is not below zero. */
  count(column: string): number {
    const value = this.integer(column);
    return value >= 0 ? value : this.#fail(column, "a number of at least 0");
  }

  integerOrNull(column: string): number | null {
    return this.#values[column] === null ? null : this.integer(column);
  }

  number(column: string): number {
    const value = this.#values[column];
    return typeof value === "number" ? value : this.#fail(column, "a number");
  }

  numberOrNull(column: string): number | null {
    return this.#values[column] === null ? null : this.number(column);
  }

  /** 1 or 0. */
  flag(column: string): boolean {
    const value = this.#values[column];
    return value === 1 || value === 0 ? value === 1 : this.#fail(column, "1 or 0");
  }

  /** One of a closed set of texts. */
  oneOf<T extends string>(column: string, allowed: readonly T[]): T {
    const value = this.#values[column];
    return allowed.find((each) => each === value) ?? this.#fail(column, `one of ${allowed.join(", ")}`);
  }

  oneOfOrNull<T extends string>(column: string, allowed: readonly T[]): T | null {
    return this.#values[column] === null ? null : this.oneOf(column, allowed);
  }

  /** The text of a UTC time that `Date.parse` reads: `2026-11-21T10:00:00.000Z`. */
  time(column: string): string {
    const value = this.#values[column];
    return typeof value === "string" && TIME.test(value) && !Number.isNaN(Date.parse(value))
      ? value
      : this.#fail(column, "a UTC time such as 2026-11-21T10:00:00Z");
  }

  timeOrNull(column: string): string | null {
    return this.#values[column] === null ? null : this.time(column);
  }

  /** The text of a day: `2026-11-21`. */
  date(column: string): string {
    const value = this.#values[column];
    return typeof value === "string" && DATE.test(value) && !Number.isNaN(Date.parse(value))
      ? value
      : this.#fail(column, "a date such as 2026-11-21");
  }

  /** A column of JSON, as its schema has it. */
  json<T>(column: string, schema: z.ZodType<T>): T {
    const text = this.text(column);
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      return this.#fail(column, "JSON");
    }
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    const at = issue === undefined || issue.path.length === 0 ? "" : ` at /${issue.path.join("/")}`;
    return this.#fail(column, `JSON of its form (${issue?.message ?? "other"}${at})`);
  }

  jsonOrNull<T>(column: string, schema: z.ZodType<T>): T | null {
    return this.#values[column] === null ? null : this.json(column, schema);
  }

  #fail(column: string, expected: string): never {
    const value = this.#values[column];
    const text = value === undefined ? "nothing (the query does not select it)" : JSON.stringify(value);
    throw new RowError(
      this.#source,
      this.#values,
      column,
      text.length > 80 ? `${text.slice(0, 80)}...` : text,
      expected,
    );
  }
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;
const DATE = /^\d{4}-\d\d-\d\d$/;

/** The rows of one kind of query. */
export interface Rows<T> {
  all(statement: D1PreparedStatement): Promise<T[]>;
  /** null: there is no row. */
  first(statement: D1PreparedStatement): Promise<T | null>;
  /** One statement's rows out of a batch; a statement that is missing there gave none. */
  in(result: RowResult | undefined): T[];
  /** Like `in`, but a row that cannot be read keeps no other from being used: it is told instead. */
  readable(result: RowResult): ReadableRows<T>;
}

export interface ReadableRows<T> {
  readonly rows: readonly T[];
  readonly unreadable: readonly RowError[];
}

/** What is read of a `D1Result`. */
export interface RowResult {
  readonly results: readonly RowValues[];
}

/** Rows of a source, made by `read`. */
export function rowsOf<T>(source: RowSource, read: (row: Row) => T): Rows<T> {
  const one = (values: RowValues): T => read(new Row(source, values));
  return {
    all: async (statement) => (await statement.all()).results.map(one),
    async first(statement) {
      const values = await statement.first();
      return values === null ? null : one(values);
    },
    in: (result) => (result?.results ?? []).map(one),
    readable({ results }) {
      const rows: T[] = [];
      const unreadable: RowError[] = [];
      for (const values of results) {
        try {
          rows.push(one(values));
        } catch (error) {
          if (!(error instanceof RowError)) throw error;
          unreadable.push(error);
        }
      }
      return { rows, unreadable };
    },
  };
}

/** The texts of one column that names its rows. */
export function textsOf(source: Pick<RowSource, "table" | "remedy">, column: string): Rows<string> {
  return rowsOf({ ...source, key: [column] }, (row) => row.text(column));
}
