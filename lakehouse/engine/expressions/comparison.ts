/** Comparison in DuckDB's order: NaN equals itself and is the greatest, -0 equals 0, text by its UTF-8 bytes. */
import type { Column } from "../columns/column.ts";
import { compareBytes, compareFloats } from "../columns/compare.ts";
import type { Call } from "../ir/ir.ts";
import { isScalar, sameType, sqlName } from "../ir/ir-types.ts";
import { compareIntervals } from "./intervals.ts";
import { argument, boolColumn, type Kernel, mergeNulls, type Unsupported, unsupported } from "./vector.ts";

/** Compares row `left` of one column with row `right` of another: negative, zero or positive. Nulls are the caller's. */
export type Comparator = (left: number, right: number) => number;

const sign = (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0);

/** The comparator of two columns of one scalar type. */
export function comparator(a: Column, b: Column): Comparator {
  if (a.kind === "bool" && b.kind === "bool") return (i, j) => a.values[i]! - b.values[j]!;
  if (a.kind === "int32" && b.kind === "int32") return (i, j) => a.values[i]! - b.values[j]!;
  if (a.kind === "int64" && b.kind === "int64") return (i, j) => sign(a.values[i]!, b.values[j]!);
  if (a.kind === "float64" && b.kind === "float64") return (i, j) => compareFloats(a.values[i]!, b.values[j]!);
  if (a.kind === "int128" && b.kind === "int128") {
    return (i, j) =>
      sign(a.values[2 * i + 1]!, b.values[2 * j + 1]!) ||
      sign(BigInt.asUintN(64, a.values[2 * i]!), BigInt.asUintN(64, b.values[2 * j]!));
  }
  if (a.kind === "bytes" && b.kind === "bytes") {
    return (i, j) => {
      return compareBytes(a.bytes, a.offsets[i]!, a.offsets[i + 1]!, b.bytes, b.offsets[j]!, b.offsets[j + 1]!);
    };
  }
  throw new TypeError(`columns of kinds ${a.kind} and ${b.kind} do not compare`);
}

const tests: Readonly<Record<string, (order: number) => boolean>> = {
  "=": (order) => order === 0,
  "<>": (order) => order !== 0,
  "<": (order) => order < 0,
  "<=": (order) => order <= 0,
  ">": (order) => order > 0,
  ">=": (order) => order >= 0,
};

function checkOperands(call: Call): Unsupported | undefined {
  const [first, ...others] = call.args;
  if (first === undefined || others.length === 0) return unsupported("it compares nothing");
  if (!isScalar(first.type)) return unsupported(`values of type ${sqlName(first.type)} cannot be compared`);
  if (!others.every((other) => sameType(first.type, other.type))) return unsupported("its sides have different types");
  return undefined;
}

/** `=`, `<>`, `<`, `<=`, `>`, `>=`: null when a side is null. */
export function bindComparison(call: Call): Kernel | Unsupported {
  const test = tests[call.name];
  if (test === undefined) return unsupported("it is no comparison");
  if (call.args.length === 2 && call.args.every((arg) => arg.type.kind === "interval")) return compareIntervals(test);
  return (
    checkOperands(call) ??
    ((columns, length) => {
      const left = argument(columns, 0);
      const right = argument(columns, 1);
      const compare = comparator(left, right);
      const nulls = mergeNulls(columns, length);
      const values = new Uint8Array(length);
      for (let row = 0; row < length; row++) {
        if (nulls?.[row] !== 1 && test(compare(row, row))) values[row] = 1;
      }
      return boolColumn(values, nulls);
    })
  );
}

/** `IS [NOT] DISTINCT FROM`: NULL is a value like any other, and the result is never null. */
export function bindDistinctFrom(call: Call): Kernel | Unsupported {
  const equal = call.name === "is not distinct from" ? 1 : 0;
  return (
    checkOperands(call) ??
    ((columns, length) => {
      const left = argument(columns, 0);
      const right = argument(columns, 1);
      const compare = comparator(left, right);
      const values = new Uint8Array(length);
      for (let row = 0; row < length; row++) {
        const leftNull = left.nulls?.[row] === 1;
        const same = leftNull === (right.nulls?.[row] === 1) && (leftNull || compare(row, row) === 0);
        values[row] = same ? equal : 1 - equal;
      }
      return boolColumn(values, undefined);
    })
  );
}

/** `x IN (a, b, ...)`: true when one equals, else null when one of them or x is null, else false. */
export function bindIn(call: Call): Kernel | Unsupported {
  return (
    checkOperands(call) ??
    ((columns, length) => {
      const probe = argument(columns, 0);
      const choices = columns.slice(1).map((column) => ({ nulls: column.nulls, compare: comparator(probe, column) }));
      const values = new Uint8Array(length);
      const nulls = new Uint8Array(length);
      for (let row = 0; row < length; row++) {
        let unknown = probe.nulls?.[row] === 1;
        for (const choice of unknown ? [] : choices) {
          if (choice.nulls?.[row] === 1) unknown = true;
          else if (choice.compare(row, row) === 0) {
            values[row] = 1;
            unknown = false;
            break;
          }
        }
        if (unknown) nulls[row] = 1;
      }
      return boolColumn(values, nulls);
    })
  );
}
