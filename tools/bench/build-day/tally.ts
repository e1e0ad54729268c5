/** Counts of what is billed, by what caused it. One thing runs at a time, so whatever is counted belongs to it. */
import { noOperations, type Operations } from "../../prices.ts";

/** What is billed, and what is only watched. */
export interface Counts {
  readonly operations: Operations;
  /** Puts into the bucket, by kind of object (`objectKind`). */
  readonly puts: Record<string, Puts>;
  /** Rows by statement: those of D1, and those of objects. */
  readonly statements: Record<string, Rows>;
}

export interface Rows {
  readonly runs: number;
  readonly read: number;
  readonly written: number;
}

export interface Puts {
  readonly objects: number;
  readonly bytes: number;
}

/** What an object of the lake is for, from its key: `silver data`, `bronze current.json`. */
export function objectKind(key: string): string {
  const [layer = ""] = key.split(/[/_]/);
  const kind = OBJECT_KINDS.find(([pattern]) => pattern.test(key))?.[1] ?? key.slice(key.lastIndexOf("/") + 1);
  return `${layer} ${kind}`;
}

const OBJECT_KINDS: readonly (readonly [RegExp, string])[] = [
  [/\/metadata\/keys\//, "keys"],
  [/\/metadata\/partials\//, "partials"],
  [/\/metadata\//, "manifests"],
  [/\.parquet$/, "data"],
];

/** Enough of a statement to know it by. */
const STATEMENT_LETTERS = 110;

export type CountsByCause = Readonly<Record<string, Counts>>;

export class Tally {
  readonly #causes = new Map<string, Counts>();
  #active: Counts;

  constructor(cause: string) {
    this.#active = this.#of(cause);
  }

  get operations(): Operations {
    return this.#active.operations;
  }

  wrote(key: string, bytes: number): void {
    const { puts } = this.#active;
    const kind = objectKind(key);
    puts[kind] = { objects: (puts[kind]?.objects ?? 0) + 1, bytes: (puts[kind]?.bytes ?? 0) + bytes };
  }

  /** `database`: D1, or an object. */
  ran(database: "d1" | "object", sql: string, read: number, written: number): void {
    const { operations, statements } = this.#active;
    operations[database === "d1" ? "databaseRowsRead" : "objectRowsRead"] += read;
    operations[database === "d1" ? "databaseRowsWritten" : "objectRowsWritten"] += written;
    const name = `${database.padEnd(6)} ${sql.replaceAll(/\s+/g, " ").trim().slice(0, STATEMENT_LETTERS)}`;
    const before = statements[name];
    statements[name] = {
      runs: (before?.runs ?? 0) + 1,
      read: (before?.read ?? 0) + read,
      written: (before?.written ?? 0) + written,
    };
  }

  /** From now on. */
  attribute(cause: string): void {
    this.#active = this.#of(cause);
  }

  byCause(): CountsByCause {
    return Object.fromEntries(this.#causes);
  }

  #of(cause: string): Counts {
    let counts = this.#causes.get(cause);
    if (counts === undefined) {
      counts = { operations: noOperations(), puts: {}, statements: {} };
      this.#causes.set(cause, counts);
    }
    return counts;
  }
}
