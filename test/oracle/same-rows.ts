import { expect } from "vitest";
import type { Value } from "../../lakehouse/engine/columns/value.ts";

export type Row = Readonly<Record<string, Value>>;

/** Largest difference of two doubles that are taken for the same, relative to the larger one (promise P12). */
const TOLERANCE = 1e-12;

/**
 * Expects the same rows in any order: all exact but doubles, which are the values of the columns `doubles`. `slack` is what
 * they may differ by beside the relative tolerance: a sum of large values of both signs is small, and its error is not.
 */
export function expectSameRows(
  actual: readonly Row[],
  expected: readonly Row[],
  doubles: ReadonlySet<string>,
  slack = 0,
): void {
  const left = canonical(actual, doubles);
  const right = canonical(expected, doubles);
  expect(left.map((row) => row.exact)).toEqual(right.map((row) => row.exact));
  for (const [index, row] of left.entries()) {
    for (const [at, value] of row.doubles.entries()) {
      const other = right[index]?.doubles[at];
      if (!close(value, other, slack)) expect({ row: row.exact, value }).toEqual({ row: row.exact, value: other });
    }
  }
}

function close(a: Value, b: Value | undefined, slack: number): boolean {
  if (typeof a !== "number" || typeof b !== "number") return a === b;
  if (Object.is(a, b) || a === b) return true;
  return Math.abs(a - b) <= Math.max(slack, TOLERANCE * Math.max(Math.abs(a), Math.abs(b)));
}

/** Rows sorted by their exact values as text, then by their doubles. */
function canonical(rows: readonly Row[], doubles: ReadonlySet<string>) {
  return rows
    .map((row) => {
      const names = Object.keys(row);
      return {
        exact: exactText(names.filter((name) => !doubles.has(name)).map((name) => row[name] ?? null)),
        doubles: names.filter((name) => doubles.has(name)).map((name) => row[name] ?? null),
      };
    })
    .sort((a, b) => (a.exact < b.exact ? -1 : a.exact > b.exact ? 1 : compareDoubles(a.doubles, b.doubles)));
}

/** A total order: numbers, then NaN, then null. */
function compareDoubles(a: readonly Value[], b: readonly Value[]): number {
  for (const [index, value] of a.entries()) {
    const other = b[index] ?? null;
    const order = rank(value) - rank(other);
    if (order !== 0) return order;
    if (typeof value === "number" && typeof other === "number" && value !== other && !Number.isNaN(value)) {
      return value < other ? -1 : 1;
    }
  }
  return 0;
}

function rank(value: Value): number {
  if (typeof value !== "number") return 2;
  return Number.isNaN(value) ? 1 : 0;
}

/** Text that differs when the values do; -0 is 0, as in SQL. */
export function exactText(value: Value): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === "bigint" ? `${part}n` : typeof part === "number" && !Number.isFinite(part) ? String(part) : part,
  );
}
