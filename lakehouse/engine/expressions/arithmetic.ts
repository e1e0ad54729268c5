/**
 * Arithmetic with DuckDB's types. Integers and decimals are exact and overflow is an error; `/` is always double, with
 * IEEE results (1/0 is Infinity: DuckDB's default since 1.2); `//` and `%` of integers give NULL for a divisor of 0.
 */
import type { Column } from "../columns/column.ts";
import { requireKind } from "../columns/column-kind.ts";
import type { Call, IrType } from "../ir/ir.ts";
import { isExact, sqlName } from "../ir/ir-types.ts";
import { divideRounding, roundHalfAway } from "./rounding.ts";
import {
  argument,
  float64Column,
  integerColumn,
  integerRange,
  integerReader,
  type Kernel,
  mergeNulls,
  outOfRange,
  type Unsupported,
  unsupported,
} from "./vector.ts";

const floatOperators: Readonly<Record<string, (a: number, b: number) => number>> = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => a / b,
};

const exactOperators: Readonly<Record<string, (a: bigint, b: bigint) => bigint | null>> = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
};

const integerOperators: typeof exactOperators = {
  ...exactOperators,
  "//": (a, b) => (b === 0n ? null : a / b),
};

function typeNames(call: Call): string {
  return call.args.map((arg) => sqlName(arg.type)).join(", ");
}

/** Binary `+ - * / // %`, and unary `-`. */
export function bindArithmetic(call: Call): Kernel | Unsupported {
  const [left, right] = call.args;
  if (left === undefined) return unsupported("it has no operand");
  if (right === undefined) return bindNegation(call, left.type);
  if (left.type.kind === "float64" && right.type.kind === "float64") {
    const operator = floatOperators[call.name];
    return operator === undefined ? unsupported(`${call.name} on DOUBLE is not supported`) : floatKernel(operator);
  }
  if (call.type.kind === "date" || left.type.kind === "date" || right.type.kind === "date") return bindDateSteps(call);
  if (!isExact(left.type) || !isExact(right.type) || !isExact(call.type)) {
    return unsupported(`${call.name} on (${typeNames(call)}) is not supported`);
  }
  if (call.name === "%" && call.type.kind !== "decimal") return remainderKernel(call.type);
  // Both sides of a decimal + or - have been cast to the result's scale; of a *, the scales add up to it.
  const operators = call.type.kind === "decimal" ? exactOperators : integerOperators;
  const operator = operators[call.name];
  if (operator === undefined) return unsupported(`${call.name} on (${typeNames(call)}) is not supported`);
  return call.type.kind === "int32" && left.type.kind === "int32" && right.type.kind === "int32"
    ? int32Kernel(call.name)
    : exactKernel(call.type, operator);
}

function floatKernel(operator: (a: number, b: number) => number): Kernel {
  return (columns, length) => {
    const a = requireKind(argument(columns, 0), "float64").values;
    const b = requireKind(argument(columns, 1), "float64").values;
    const values = new Float64Array(length);
    for (let row = 0; row < length; row++) values[row] = operator(a[row]!, b[row]!);
    return float64Column(values, mergeNulls(columns, length));
  };
}

function exactKernel(type: IrType, operator: (a: bigint, b: bigint) => bigint | null): Kernel {
  return (columns, length) => {
    const a = integerReader(argument(columns, 0));
    const b = integerReader(argument(columns, 1));
    return integerColumn(type, length, mergeNulls(columns, length), (row) => operator(a(row), b(row)));
  };
}

/** DuckDB finds the remainder by way of the quotient, which overflows for the smallest integer and -1. */
function remainderKernel(type: IrType): Kernel {
  const { min } = integerRange(type);
  return exactKernel(type, (a, b) => {
    if (b === 0n) return null;
    if (b === -1n && a === min) throw outOfRange(`${a} % -1`, type);
    return a % b;
  });
}

/** Doubles hold every sum and difference of int32; a product past 2^53 is out of int32's range whatever its last bits. */
function int32Kernel(name: string): Kernel {
  const operator = {
    "+": (a: number, b: number) => a + b,
    "-": (a: number, b: number) => a - b,
    "*": (a: number, b: number) => a * b,
    "//": (a: number, b: number) => Math.trunc(a / b),
  }[name];
  if (operator === undefined) throw new TypeError(`no int32 operator ${name}`);
  const divides = name === "//";
  return (columns, length) => {
    const a = requireKind(argument(columns, 0), "int32").values;
    const b = requireKind(argument(columns, 1), "int32").values;
    let nulls = mergeNulls(columns, length);
    const values = new Int32Array(length);
    if (divides && b.subarray(0, length).includes(0)) {
      nulls = nulls?.slice(0, length) ?? new Uint8Array(length);
      for (let row = 0; row < length; row++) if (b[row] === 0) nulls[row] = 1;
    }
    for (let row = 0; row < length; row++) {
      if (nulls?.[row] === 1) continue;
      const result = operator(a[row]!, b[row]!);
      if (result > 2147483647 || result < -2147483648) {
        throw outOfRange(`${a[row]} ${name} ${b[row]}`, { kind: "int32" });
      }
      values[row] = result;
    }
    return { kind: "int32", type: { kind: "int32" }, length, nulls, values };
  };
}

function bindNegation(call: Call, type: IrType): Kernel | Unsupported {
  if (call.name === "-" && type.kind === "float64") return mapFloats((value) => -value);
  if (call.name === "-" && isExact(type)) return mapExact(call.type, (value) => -value);
  return unsupported(`${call.name} on (${typeNames(call)}) is not supported`);
}

/** DATE + n, n + DATE and DATE - n in days; DATE - DATE in days, as BIGINT. */
function bindDateSteps(call: Call): Kernel | Unsupported {
  const kinds = call.args.map((arg) => arg.type.kind).join(" ");
  const known =
    (call.name === "+" && (kinds === "date int32" || kinds === "int32 date")) ||
    (call.name === "-" && (kinds === "date int32" || kinds === "date date"));
  const operator = exactOperators[call.name];
  if (!known || operator === undefined) return unsupported(`${call.name} on (${typeNames(call)}) is not supported`);
  return exactKernel(call.type, operator);
}

/** A kernel that maps each double of its one argument. */
export function mapFloats(map: (value: number) => number): Kernel {
  return (columns, length) => {
    const column = requireKind(argument(columns, 0), "float64");
    const values = new Float64Array(length);
    for (let row = 0; row < length; row++) values[row] = map(column.values[row]!);
    return float64Column(values, column.nulls);
  };
}

/** A kernel that maps each integer (unscaled decimal) of its first argument into the integer-like `type`. */
export function mapExact(type: IrType, map: (value: bigint) => bigint): Kernel {
  return (columns, length) => {
    const column = argument(columns, 0);
    const read = integerReader(column);
    return integerColumn(type, length, column.nulls, (row) => map(read(row)));
  };
}

/** `abs`: the absolute value in the argument's type; of the smallest integer it overflows. */
export function bindAbs(call: Call): Kernel | Unsupported {
  const type = call.args[0]?.type;
  if (type?.kind === "float64") return mapFloats(Math.abs);
  if (type !== undefined && isExact(type)) return mapExact(call.type, (value) => (value < 0n ? -value : value));
  return unsupported(`abs of (${typeNames(call)}) is not supported`);
}

const wholeNumbers: Readonly<Record<string, (value: number) => number>> = {
  floor: Math.floor,
  ceil: Math.ceil,
  ceiling: Math.ceil,
  trunc: Math.trunc,
};

/** `floor`, `ceil` and `trunc` of doubles. */
export function bindWhole(call: Call): Kernel | Unsupported {
  const whole = wholeNumbers[call.name];
  if (whole === undefined || call.args[0]?.type.kind !== "float64")
    return unsupported(`${call.name} of (${typeNames(call)}) is not supported`);
  return mapFloats(whole);
}

/** `round(x)` and `round(x, n)`, n a constant: DuckDB's `x * 10^n`, rounded, divided again, for doubles; exact for decimals. */
export function bindRound(call: Call): Kernel | Unsupported {
  const [value, places] = call.args;
  if (value === undefined) return unsupported("it has no operand");
  if (places !== undefined && (places.node !== "constant" || typeof places.value !== "number")) {
    return unsupported("the number of digits of round must be a constant");
  }
  const digits = places?.node === "constant" && typeof places.value === "number" ? places.value : 0;
  const { type } = value;
  if (type.kind === "float64") return mapFloats((x) => roundTo(x, digits));
  if (type.kind === "decimal" && call.type.kind === "decimal") {
    if (digits >= type.scale) return mapExact(call.type, (x) => x);
    const divisor = 10n ** BigInt(type.scale - digits);
    const back = 10n ** BigInt(Math.max(0, -digits));
    return mapExact(call.type, (x) => divideRounding(x, divisor) * back);
  }
  if (isExact(type) && places === undefined) return (columns): Column => argument(columns, 0);
  return unsupported(`round of (${typeNames(call)}) is not supported`);
}

function roundTo(value: number, digits: number): number {
  if (digits === 0) return roundHalfAway(value);
  // Number("1e3") is the exact nearest double, which 10 ** 3 need not be in every engine.
  const power = Number(`1e${Math.abs(digits)}`);
  if (digits < 0) {
    const rounded = roundHalfAway(value / power) * power;
    return Number.isFinite(rounded) ? rounded : 0;
  }
  const rounded = roundHalfAway(value * power) / power;
  return Number.isFinite(rounded) ? rounded : value;
}
