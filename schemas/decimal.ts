/**
 * Exact decimals between JSON and Avro. A JSON number stands for the decimal that its shortest text denotes; a value with
 * more digits than a double keeps is sent as a string. Nothing is ever rounded: what does not fit the scale is refused.
 */
import { isRawNumber } from "./exact-json.ts";

const DECIMAL = /^(-?)(\d+)(?:\.(\d+))?$/;

/** Powers of ten are exact as doubles up to this one, and decimals of 15 digits survive a double (IEEE 754, DBL_DIG). */
const EXACT_POWER = 22;
const EXACT_UNSCALED = 1e15;

/** Whether `Math.round(value * 10 ** scale)` is the unscaled integer of a number that has no more decimals than the scale: no digit was lost to a double. */
export function isExactUnscaled(unscaled: number, scale: number): boolean {
  return scale <= EXACT_POWER && Math.abs(unscaled) <= EXACT_UNSCALED;
}

/**
 * The unscaled integer of a decimal in its JSON form: a number, a number kept as text because no double holds it, or a
 * text. Undefined if it is none of them or has more decimals than the scale.
 */
export function unscaledFromJson(value: unknown, scale: number): bigint | undefined {
  if (typeof value === "number") return unscaledFromNumber(value, scale);
  if (typeof value === "string") return unscaledFromText(value, scale);
  return isRawNumber(value) ? unscaledFromDigits(value.rawJSON, scale) : undefined;
}

/**
 * The unscaled integer of a JSON number at this scale, or undefined if it has more decimals than the scale or is not
 * finite. The number stands for the decimal of its shortest text (ECMA-262, Number::toString), which is what was sent
 * wherever `parseExactJson` left it a number.
 */
export function unscaledFromNumber(value: number, scale: number): bigint | undefined {
  const factor = 10 ** scale;
  const unscaled = Math.round(value * factor);
  if (!isExactUnscaled(unscaled, scale)) return unscaledFromDigits(String(value), scale);
  // Correct rounding of IEEE division makes this exact: the quotient equals `value` only if `value` is the double nearest to that decimal.
  return unscaled / factor === value ? BigInt(unscaled) : undefined;
}

const NUMBER = /^(-?\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

/**
 * Longer numbers are no decimals: precision is at most 38 and scale at most 38, and reading digits into a BigInt takes time
 * by the square of their count. The largest double has an exponent of 308.
 */
const MAX_NUMBER_TEXT = 128;
const MAX_EXPONENT = 400;

/** The digits of a JSON number, for what arithmetic on doubles would round. */
function unscaledFromDigits(text: string, scale: number): bigint | undefined {
  if (text.length > MAX_NUMBER_TEXT) return undefined;
  const match = NUMBER.exec(text);
  if (match === null) return undefined;
  const fraction = match[2] ?? "";
  const digits = BigInt(`${match[1]}${fraction}`);
  const shift = scale - fraction.length + Number(match[3] ?? 0);
  if (digits === 0n) return 0n;
  if (Math.abs(shift) > MAX_EXPONENT) return undefined;
  const power = 10n ** BigInt(Math.abs(shift));
  if (shift >= 0) return digits * power;
  return digits % power === 0n ? digits / power : undefined;
}

/** The unscaled integers that a bound of a contract lets through at this scale begin (`ceil`) or end (`floor`) here. */
export function unscaledBound(bound: number, scale: number, rounding: "ceil" | "floor"): bigint {
  const match = NUMBER.exec(String(bound));
  if (match === null) throw new RangeError(`${bound} is no bound of a decimal`);
  const fraction = match[2] ?? "";
  const digits = BigInt(`${match[1]}${fraction}`);
  const shift = scale - fraction.length + Number(match[3] ?? 0);
  if (shift >= 0) return digits * 10n ** BigInt(shift);
  const power = 10n ** BigInt(-shift);
  const quotient = digits / power; // BigInt division rounds towards zero.
  if (quotient * power === digits) return quotient;
  if (rounding === "ceil") return digits > 0n ? quotient + 1n : quotient;
  return digits < 0n ? quotient - 1n : quotient;
}

/** The unscaled integer of a decimal text such as "-12.50", or undefined if it is not one or has non-zero digits past the scale. */
export function unscaledFromText(text: string, scale: number): bigint | undefined {
  const match = DECIMAL.exec(text);
  if (match === null) return undefined;
  const fraction = match[3] ?? "";
  if (/[1-9]/.test(fraction.slice(scale))) return undefined;
  const unscaled = BigInt(`${match[2]}${fraction.slice(0, scale).padEnd(scale, "0")}`);
  return match[1] === "-" ? -unscaled : unscaled;
}

/** The canonical JSON form: a number while it is exact as one, else a string. */
export function jsonFromUnscaled(unscaled: bigint, scale: number): number | string {
  const safe = BigInt.asIntN(53, unscaled) === unscaled;
  if (safe) return scale <= EXACT_POWER ? Number(unscaled) / 10 ** scale : Number(`${unscaled}e-${scale}`);
  const negative = unscaled < 0n;
  const digits = (negative ? -unscaled : unscaled).toString().padStart(scale + 1, "0");
  const whole = digits.slice(0, digits.length - scale);
  return `${negative ? "-" : ""}${whole}${scale === 0 ? "" : `.${digits.slice(digits.length - scale)}`}`;
}

/** Whether the unscaled integer has at most `precision` digits. */
export function fitsPrecision(unscaled: bigint, precision: number): boolean {
  const limit = 10n ** BigInt(precision);
  return unscaled < limit && unscaled > -limit;
}

/** Two's-complement, big-endian, shortest: the Avro encoding of a decimal's bytes (specification 1.12, "Decimal"). */
export function bytesFromUnscaled(unscaled: bigint): Buffer {
  const bytes: number[] = [];
  let rest = unscaled;
  for (;;) {
    const byte = Number(BigInt.asUintN(8, rest));
    bytes.push(byte);
    rest >>= 8n;
    const signed = byte >= 0x80 ? -1n : 0n;
    if (rest === signed) break;
  }
  return Buffer.from(bytes.reverse());
}

/** Inverse of `bytesFromUnscaled`; accepts longer encodings with sign extension, and empty bytes as zero. */
export function unscaledFromBytes(bytes: Uint8Array): bigint {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return BigInt.asIntN(bytes.length * 8, value);
}
