/** What is known of the rows that an operator of DuckDB's plan gives; columns are named by their positions. Pure. */
import type { JsonObject } from "../json.ts";

/** A column of an input table, or the expression that computes a value; undefined where there is none. */
export type Source =
  | { readonly table: string; readonly column: string }
  | { readonly expression: JsonObject | undefined };

/** Rows of an input that is read by the same date: these columns have that date in each row. None: it was lost on the way. */
export interface Dated {
  readonly table: string;
  readonly columns: ReadonlySet<number>;
  /** Of a FULL JOIN: a row has the date in a column of the first set, of the second, or both: `coalesce` gives it. */
  readonly halves?: readonly [ReadonlySet<number>, ReadonlySet<number>];
}

export interface KnownRows {
  /** What each column is on every way down to an input. */
  readonly columns: readonly (readonly Source[])[];
  /** Each a set of columns that tells all rows apart; an empty one: there is one row at the most. */
  readonly keys: readonly ReadonlySet<number>[];
  /** One for the inputs that are tied together; several, where joined rows may be of different partitions. */
  readonly dates: readonly Dated[];
  /** There is exactly one row. */
  readonly one: boolean;
  /** Input tables. */
  readonly reads: ReadonlySet<string>;
}

export const COMPUTED: readonly Source[] = [{ expression: undefined }];

/** Rows of which nothing is known. */
export function unknownRows(width: number, reads: ReadonlySet<string> = new Set()): KnownRows {
  return { columns: Array.from({ length: width }, () => COMPUTED), keys: [], dates: [], one: false, reads };
}

/** Whether rows that are alike in these columns are one, or alike in all. */
export function tellsApart(rows: KnownRows, told: ReadonlySet<number>): boolean {
  return rows.keys.some((key) => key.isSubsetOf(told)) || rows.columns.every((_, index) => told.has(index));
}

/** The rows with other columns: `kept` says of each new one which it was, or what computes it. */
export function withColumns(rows: KnownRows, kept: readonly (number | readonly Source[])[]): KnownRows {
  const places = (old: number) => kept.flatMap((each, index) => (each === old ? [index] : []));
  const moved = (set: ReadonlySet<number>) => new Set([...set].flatMap(places));
  return {
    ...rows,
    columns: kept.map((each) => (typeof each === "number" ? (rows.columns[each] ?? COMPUTED) : each)),
    keys: rows.keys.flatMap((key) => {
      const found = [...key].map((old) => kept.indexOf(old));
      return found.includes(-1) ? [] : [new Set(found)];
    }),
    dates: rows.dates.map(({ table, columns, halves }) => ({
      table,
      columns: moved(columns),
      ...(halves === undefined ? {} : { halves: [moved(halves[0]), moved(halves[1])] as const }),
    })),
  };
}

/** A set of positions behind others. */
export function shifted(set: ReadonlySet<number>, by: number): ReadonlySet<number> {
  return new Set([...set].map((index) => index + by));
}

/** The sources of rows whose dates are equal in one of the pairs of columns, as one. */
export function tied(dates: readonly Dated[], pairs: readonly (readonly [number, number])[]): readonly Dated[] {
  let groups = dates;
  for (const [a, b] of pairs) {
    const [first, second] = [a, b].map((column) => groups.find(({ columns }) => columns.has(column)));
    if (first === undefined && second === undefined) continue;
    const [one = second, other] = first === second ? [first] : [first, second];
    if (one === undefined) continue;
    const columns = one.columns.union(other?.columns ?? new Set<number>()).union(new Set([a, b]));
    const joined: Dated = { ...one, columns };
    groups = [joined, ...groups.filter((each) => each !== one && each !== other)];
  }
  return groups;
}
