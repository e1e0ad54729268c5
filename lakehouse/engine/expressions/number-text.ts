/**
 * Numbers from text, as DuckDB's casts read them: with spaces around, `_` between digits, a decimal point and an exponent;
 * integers also in hexadecimal and binary. Each reader gives undefined for what the cast refuses.
 */
import { divideRounding } from "./rounding.ts";

const SPACE = "[ \\t\\n\\v\\f\\r]";
const DIGITS = "\\d(?:_?\\d)*";
/** Sign; whole digits; point and decimals; sign and digits of the exponent. What follows the sign may not be empty. */
const NUMBER = new RegExp(
  `^${SPACE}*([+-]?)(?=[^])(?:(${DIGITS})?(?:(\\.)((?:${DIGITS})?))?(?:([eE])([+-]?)(?=[^])(?:(${DIGITS})\\.?)?)?)${SPACE}*$`,
);
const HEXADECIMAL = new RegExp(`^${SPACE}*0[xX]([0-9a-fA-F](?:_?[0-9a-fA-F])*)$`);
const BINARY = new RegExp(`^${SPACE}*0[bB]([01](?:_?[01])*)$`);
const FLOAT = new RegExp(
  `^${SPACE}*(?:\\+(?!\\+))?(-?(?=\\.?\\d)(?:${DIGITS})?(?:\\.(?:${DIGITS})?)?(?:[eE][+-]?${DIGITS})?)${SPACE}*$`,
);
const NO_NUMBER = new RegExp(`^${SPACE}*(?:\\+(?!\\+))?(-?)(?:(inf|infinity)|nan(?:\\([a-z0-9_]*\\))?)${SPACE}*$`, "i");

interface NumberText {
  readonly negative: boolean;
  /** Without leading zeros. */
  readonly whole: string;
  readonly decimals: string;
  readonly exponent: number | undefined;
}

function readNumber(text: string): NumberText | undefined {
  const match = NUMBER.exec(text);
  if (match === null) return undefined;
  const [, sign, whole, point, decimals = "", e, exponentSign, exponentDigits = "0"] = match;
  const some = whole !== undefined || decimals !== "";
  // A sign and spaces are 0, but neither a point nor an exponent stands without a digit.
  if (!some && (point !== undefined || e !== undefined || sign === "")) return undefined;
  const exponent = Number(exponentDigits.replaceAll("_", "")) * (exponentSign === "-" ? -1 : 1);
  if (exponent > 32_767 || exponent < -32_768) return undefined;
  return {
    negative: sign === "-",
    whole: (whole ?? "").replaceAll("_", "").replace(/^0+/, ""),
    decimals: decimals.replaceAll("_", ""),
    exponent: e === undefined ? undefined : exponent,
  };
}

/** DuckDB counts in 64 bits: a number may not leave them before its exponent is applied. */
const MAX_WHOLE_DIGITS = 19;
const MIN_INT64 = -(2n ** 63n);
const MAX_INT64 = 2n ** 63n - 1n;

/** An integer, rounded half away from zero. The caller checks the range of its type, which is at most 64 bits. */
export function parseInteger(text: string): bigint | undefined {
  const coded = HEXADECIMAL.exec(text)?.[1];
  if (coded !== undefined) return BigInt(`0x${coded.replaceAll("_", "")}`);
  const bits = BINARY.exec(text)?.[1];
  if (bits !== undefined) return BigInt(`0b${bits.replaceAll("_", "")}`);
  const read = readNumber(text);
  if (read === undefined || read.whole.length > MAX_WHOLE_DIGITS) return undefined;
  const whole = BigInt(`${read.whole}` || "0") * (read.negative ? -1n : 1n);
  return whole < MIN_INT64 || whole > MAX_INT64 ? undefined : shifted(read);
}

/** The same of 128 bits, which have no hexadecimal notation. */
export function parseHugeInteger(text: string): bigint | undefined {
  const read = readNumber(text);
  return read === undefined || read.whole.length > 39 ? undefined : shifted(read);
}

/** The number with its exponent, rounded by the first digit behind the point. */
function shifted({ negative, whole, decimals, exponent = 0 }: NumberText): bigint | undefined {
  const digits = `${whole}${decimals}`;
  if (!/[1-9]/.test(digits)) return 0n;
  const point = whole.length + exponent;
  if (point > 40 + decimals.length) return undefined;
  const kept = point <= 0 ? "" : digits.slice(0, point).padEnd(point, "0");
  const next = point < 0 ? "0" : (digits[point] ?? "0");
  const magnitude = BigInt(kept === "" ? "0" : kept) + (next >= "5" ? 1n : 0n);
  return negative ? -magnitude : magnitude;
}

/** The most digits that DuckDB's storage of a decimal of this precision holds; it drops the ones behind them. */
function storedDigits(precision: number): number {
  if (precision <= 4) return 4;
  if (precision <= 9) return 9;
  return precision <= 18 ? 18 : 38;
}

/**
 * A decimal, unscaled. Digits behind the scale round half away from zero, by the first of them. DuckDB's way with exponents
 * is kept: the digits before the point must fit the type before the exponent is applied, and a negative exponent divides
 * what is left of the number at its scale, rounding by the last digit that it takes off before nothing is left.
 */
export function parseDecimal(text: string, precision: number, scale: number): bigint | undefined {
  const read = readNumber(text);
  if (read === undefined || read.whole.length > precision - scale) return undefined;
  const { negative, whole, decimals, exponent = 0 } = read;
  const room = Math.max(0, storedDigits(precision) - whole.length);
  const kept = decimals.slice(0, room);
  const limit = 10n ** BigInt(precision);
  const unscaled = BigInt(`${whole}${kept}` || "0");
  const magnitude =
    exponent > 0
      ? raised(unscaled, whole.length, kept.length, exponent, precision, scale)
      : lowered(
          scaledDown(unscaled, kept.length, scale, exponent === 0 && (decimals[scale] ?? "0") >= "5"),
          exponent,
          limit,
        );
  if (magnitude === undefined || magnitude >= limit) return undefined;
  return negative ? -magnitude : magnitude;
}

/** `unscaled` of `decimals` at the scale of the type: excess digits cut off, and one up if `up`. */
function scaledDown(unscaled: bigint, decimals: number, scale: number, up: boolean): bigint {
  const excess = Math.max(0, decimals - scale);
  return (unscaled / 10n ** BigInt(excess) + (up ? 1n : 0n)) * 10n ** BigInt(Math.max(0, scale - decimals));
}

function lowered(value: bigint, exponent: number, limit: bigint): bigint | undefined {
  if (value >= limit) return undefined;
  let rest = value;
  let up = false;
  for (let step = exponent; step < 0; step++) {
    up = rest % 10n >= 5n;
    rest /= 10n;
    if (rest === 0n) break;
  }
  return up ? rest + 1n : rest;
}

function raised(
  unscaled: bigint,
  wholeDigits: number,
  decimals: number,
  exponent: number,
  precision: number,
  scale: number,
): bigint | undefined {
  const excess = Math.max(0, decimals - scale);
  if (excess > exponent) return divideRounding(unscaled, 10n ** BigInt(excess - exponent));
  let value = unscaled * 10n ** BigInt(Math.max(0, scale - decimals));
  if (value >= 10n ** BigInt(precision)) return undefined;
  // A digit is appended per step, and the whole digits may not pass what the type has room for.
  let digits = wholeDigits;
  for (let step = exponent - excess; step > 0 && value !== 0n; step--) {
    if (digits === precision - scale) return undefined;
    digits++;
    value *= 10n;
  }
  return value;
}

/** A double: also `inf`, `infinity` and `nan` in any letter case. What is too large is infinite. */
export function parseFloat64(text: string): number | undefined {
  const digits = FLOAT.exec(text)?.[1];
  if (digits !== undefined) return Number(digits.replaceAll("_", ""));
  const word = NO_NUMBER.exec(text);
  if (word === null) return undefined;
  return word[2] === undefined ? Number.NaN : word[1] === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}
