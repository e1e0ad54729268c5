/**
 * What every kernel is made of. Invariant of this folder: a row index runs from 0 to `length - 1` and `values` has that
 * many slots (twice as many words for int128), so indexed reads are defined; that is what each `!` here relies on.
 */
import type { Column, Nulls } from "../columns/column.ts";
import { MAX_INT64_PRECISION } from "../columns/column-kind.ts";
import { ModelValueError } from "../ir/errors.ts";
import type { IrType } from "../ir/ir.ts";
import { columnTypeOf, sqlName } from "../ir/ir-types.ts";

/** Columns of equal length without names: what passes between operators. */
export interface Rows {
  readonly columns: readonly Column[];
  readonly length: number;
}

/** A function over whole columns. It never changes its arguments, and may return one of them. */
export type Kernel = (columns: readonly Column[], length: number) => Column;

/** Why a function, cast or aggregate cannot be run, in words for a build error. */
export interface Unsupported {
  readonly unsupported: string;
  /** DuckDB would refuse it too, whatever the rows. */
  readonly fault?: true;
}

export function unsupported(reason: string): Unsupported {
  return { unsupported: reason };
}

export function impossible(reason: string): Unsupported {
  return { unsupported: reason, fault: true };
}

export function isUnsupported<T extends object>(bound: T | Unsupported): bound is Unsupported {
  return "unsupported" in bound;
}

/** Null wherever one of `columns` is null; `undefined` when none is. */
export function mergeNulls(columns: readonly { readonly nulls: Nulls }[], length: number): Nulls {
  let merged: Uint8Array | undefined;
  let owned = false;
  for (const { nulls } of columns) {
    if (nulls === undefined) continue;
    if (merged === undefined) {
      merged = nulls;
      continue;
    }
    if (!owned) {
      merged = merged.slice(0, length);
      owned = true;
    }
    for (let row = 0; row < length; row++) if (nulls[row] === 1) merged[row] = 1;
  }
  return merged;
}

/** Reads row `row` of an int32, int64 or int128 column as a bigint (a decimal unscaled). */
export function integerReader(column: Column): (row: number) => bigint {
  switch (column.kind) {
    case "int32": {
      const { values } = column;
      return (row) => BigInt(values[row]!);
    }
    case "int64": {
      const { values } = column;
      return (row) => values[row]!;
    }
    case "int128": {
      const { values } = column;
      return (row) => (values[2 * row + 1]! << 64n) | BigInt.asUintN(64, values[2 * row]!);
    }
    default:
      throw new TypeError(`not an integer column: ${column.kind}`);
  }
}

/** The largest absolute value of a decimal of `precision` digits. */
export function decimalLimit(precision: number): bigint {
  return 10n ** BigInt(precision) - 1n;
}

/** The smallest and largest integer (unscaled for decimals) that the type holds. */
export function integerRange(type: IrType): { readonly min: bigint; readonly max: bigint } {
  switch (type.kind) {
    case "int32":
    case "date":
      return { min: -(2n ** 31n), max: 2n ** 31n - 1n };
    case "int64":
    case "timestamp":
    case "timestamptz":
      return { min: -(2n ** 63n), max: 2n ** 63n - 1n };
    case "hugeint":
      return { min: -(2n ** 127n), max: 2n ** 127n - 1n };
    case "decimal": {
      const max = decimalLimit(type.precision);
      return { min: -max, max };
    }
    default:
      throw new TypeError(`not an integer type: ${type.kind}`);
  }
}

/** The refusal of a value, with what the model's author can write instead. */
export function outOfRange(what: string, type: IrType): ModelValueError {
  const remedy = "compute it in a wider type, such as BIGINT or DECIMAL(38, 2), or TRY_CAST it";
  return new ModelValueError(`${what} is out of the range of ${sqlName(type)}: ${remedy}`);
}

/**
 * A column of an integer-like type from one bigint a row; `value` is not called for null rows. `null` from it makes the
 * row null. A value out of the type's range throws `ModelValueError`, or with `lenient` becomes null.
 */
export function integerColumn(
  type: IrType,
  length: number,
  nulls: Nulls,
  value: (row: number) => bigint | null,
  lenient = false,
): Column {
  const { min, max } = integerRange(type);
  const stored = columnTypeOf(type);
  const words = type.kind === "hugeint" || (type.kind === "decimal" && type.precision > MAX_INT64_PRECISION) ? 2 : 1;
  const narrow = type.kind === "int32" || type.kind === "date" ? new Int32Array(length) : undefined;
  const wide = narrow === undefined ? new BigInt64Array(length * words) : new BigInt64Array(0);
  let madeNulls: Uint8Array | undefined;
  for (let row = 0; row < length; row++) {
    if (nulls?.[row] === 1) continue;
    const result = value(row);
    if (result === null || (lenient && (result < min || result > max))) {
      madeNulls ??= nulls === undefined ? new Uint8Array(length) : nulls.slice(0, length);
      madeNulls[row] = 1;
      continue;
    }
    if (result < min || result > max) throw outOfRange(String(result), type);
    if (narrow !== undefined) narrow[row] = Number(result);
    else if (words === 1) wide[row] = result;
    else {
      wide[2 * row] = BigInt.asIntN(64, result);
      wide[2 * row + 1] = result >> 64n;
    }
  }
  const outNulls = madeNulls ?? nulls;
  if (narrow !== undefined) return { kind: "int32", type: stored, length, nulls: outNulls, values: narrow };
  return { kind: words === 1 ? "int64" : "int128", type: stored, length, nulls: outNulls, values: wide };
}

export function boolColumn(values: Uint8Array, nulls: Nulls): Column {
  return { kind: "bool", type: { kind: "bool" }, length: values.length, nulls, values };
}

export function float64Column(values: Float64Array, nulls: Nulls): Column {
  return { kind: "float64", type: { kind: "float64" }, length: values.length, nulls, values };
}

/** The column at `index` of a kernel's arguments; the binder has checked their number. */
export function argument(columns: readonly Column[], index: number): Column {
  const column = columns[index];
  if (column === undefined) throw new TypeError(`kernel argument ${index} is missing`);
  return column;
}
