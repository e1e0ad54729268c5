/**
 * CEL's `int`: 64 bits, and an error beyond. An integer that a double holds exactly is a number, any other a bigint, so that
 * one value has one form, and arithmetic on bigints is for the few that need it.
 */
import { RuleFailure } from "./failure.ts";

export type Int = number | bigint;

const MAX = 2n ** 63n - 1n;
const MIN = -(2n ** 63n);

export function intOf(value: bigint): Int {
  if (value > MAX || value < MIN) throw new RuleFailure("an integer passes 64 bits");
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** The result of the numbers' operation if it is exact, else of the bigints'. */
function exact(result: number, a: Int, b: Int, apply: (a: bigint, b: bigint) => bigint): Int {
  return Number.isSafeInteger(result) ? result : intOf(apply(BigInt(a), BigInt(b)));
}

export function add(a: Int, b: Int): Int {
  return exact(typeof a === "number" && typeof b === "number" ? a + b : Number.NaN, a, b, (x, y) => x + y);
}

export function subtract(a: Int, b: Int): Int {
  return exact(typeof a === "number" && typeof b === "number" ? a - b : Number.NaN, a, b, (x, y) => x - y);
}

export function multiply(a: Int, b: Int): Int {
  // Zero times a negative number is -0, which is not CEL's; adding 0 makes it 0.
  return exact(typeof a === "number" && typeof b === "number" ? a * b + 0 : Number.NaN, a, b, (x, y) => x * y);
}

/** Towards zero. */
export function divide(a: Int, b: Int): Int {
  if (b === 0) throw new RuleFailure("division by zero");
  return exact(
    typeof a === "number" && typeof b === "number" ? Math.trunc(a / b) + 0 : Number.NaN,
    a,
    b,
    (x, y) => x / y,
  );
}

/** With the sign of the dividend. */
export function modulo(a: Int, b: Int): Int {
  if (b === 0) throw new RuleFailure("modulo by zero");
  return exact(typeof a === "number" && typeof b === "number" ? (a % b) + 0 : Number.NaN, a, b, (x, y) => x % y);
}

export function intFromDouble(value: number): Int {
  if (!Number.isFinite(value)) throw new RuleFailure(`${value} is no integer`);
  return intOf(BigInt(Math.trunc(value)));
}

const DIGITS = /^[+-]?\d{1,19}$/;

export function intFromText(text: string): Int {
  if (!DIGITS.test(text)) throw new RuleFailure("the text is no integer");
  return intOf(BigInt(text.replace(/^\+/, "")));
}
