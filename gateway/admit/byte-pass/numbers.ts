/**
 * Numbers of the byte pass, from their digits, which are an exact integer as a double: so a decimal is exact without further
 * looks, and one division by an exact power of ten gives the nearest double, which is what `JSON.parse` gives
 * (W. D. Clinger, "How to Read Floating Point Numbers Accurately", 1990: the fast path).
 */
import { isExactUnscaled } from "../../../schemas/decimal.ts";
import { type Bounds, type DecimalPlan, type DoublePlan, type IntegerPlan, withinBounds } from "../plan.ts";
import { asciiText } from "./ascii.ts";
import { FAIL, type Keep, type Leavings, type ReadValue } from "./byte-pass.ts";

const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const LETTER_E = 0x65;
/** All integers that a double has exactly have no more digits. */
const MAX_DIGITS = 16;
/** A decimal of fifteen digits survives a double, one of sixteen may not (IEEE 754, DBL_DIG). */
const SURVIVING = 1e15;

/** Exact as doubles. */
const POWERS = Array.from({ length: MAX_DIGITS + 1 }, (_none, power) => 10 ** power);

/** The number that was scanned last: `digits / 10^scale`, without its sign. */
const scanned = { digits: 0, scale: 0 };

/**
 * Scans a number of at most sixteen digits, without its exponent; the position behind it, or `FAIL`. Its digits are exact if
 * they are below 2^53.
 */
function scanNumber(bytes: Uint8Array, at: number): number {
  const first = bytes[at] === MINUS ? at + 1 : at;
  let next = first;
  let digits = 0;
  let digit = (bytes[next] ?? 0) - ZERO;
  while (digit >= 0 && digit <= 9) {
    digits = digits * 10 + digit;
    digit = (bytes[++next] ?? 0) - ZERO;
  }
  let count = next - first;
  // A zero in front of other digits is no JSON.
  if (count === 0 || (count > 1 && bytes[first] === ZERO)) return FAIL;
  let scale = 0;
  if (bytes[next] === POINT) {
    const point = next;
    digit = (bytes[++next] ?? 0) - ZERO;
    while (digit >= 0 && digit <= 9) {
      digits = digits * 10 + digit;
      digit = (bytes[++next] ?? 0) - ZERO;
    }
    scale = next - point - 1;
    if (scale === 0) return FAIL;
    count += scale;
  }
  if (count > MAX_DIGITS) return FAIL;
  scanned.digits = digits;
  scanned.scale = scale;
  return next;
}

export function compileInteger(plan: IntegerPlan, leavings: Leavings, keep: Keep): ReadValue {
  const lowest = Math.max(plan.lowest, plan.minimum ?? plan.lowest);
  const highest = Math.min(plan.highest, plan.maximum ?? plan.highest);
  return function readInteger({ bytes }, at, output) {
    const end = scanNumber(bytes, at);
    if (end === FAIL || scanned.scale > 0) return FAIL;
    const { digits } = scanned;
    const value = bytes[at] === MINUS ? 0 - digits : digits;
    if (value < lowest || value > highest) return FAIL;
    output.writeLong(value);
    if (keep !== null) leavings.kept = value;
    return end;
  };
}

export function compileDecimal(plan: DecimalPlan, leavings: Leavings, keep: Keep): ReadValue {
  const { factor, largest, scale } = plan;
  const unbounded = isUnbounded(plan) && keep === null;
  return function readDecimal({ bytes }, at, output) {
    const end = scanNumber(bytes, at);
    if (end === FAIL || scanned.scale > scale) return FAIL;
    const magnitude = scanned.digits * (POWERS[scale - scanned.scale] ?? Number.POSITIVE_INFINITY);
    if (magnitude > largest || !isExactUnscaled(magnitude, scale)) return FAIL;
    const unscaled = bytes[at] === MINUS ? 0 - magnitude : magnitude;
    if (!unbounded) {
      const value = unscaled / factor;
      if (!withinBounds(value, plan)) return FAIL;
      if (keep !== null) leavings.kept = value;
    }
    output.writeUnscaled(unscaled);
    return end;
  };
}

function isUnbounded({ minimum, maximum }: Bounds): boolean {
  return minimum === null && maximum === null;
}

export function compileDouble(plan: DoublePlan, leavings: Leavings, keep: Keep): ReadValue {
  return function readDouble({ bytes }, at, output) {
    let end = scanNumber(bytes, at);
    let value: number | undefined;
    if (end === FAIL || scanned.digits >= SURVIVING || ((bytes[end] ?? 0) | 0x20) === LETTER_E) {
      end = endOfNumber(bytes, at);
      value = canonicalNumber(asciiText(bytes, at, end));
      if (value === undefined) return FAIL;
    } else {
      const magnitude = scanned.digits / (POWERS[scanned.scale] ?? 1);
      value = bytes[at] === MINUS ? -magnitude : magnitude;
    }
    if (!withinBounds(value, plan)) return FAIL;
    output.writeDouble(value);
    if (keep !== null) leavings.kept = value;
    return end;
  };
}

/** More characters than the shortest text of any double has. */
const MAX_NUMBER = 32;

function endOfNumber(bytes: Uint8Array, at: number): number {
  let end = at;
  while (end - at < MAX_NUMBER && isNumberByte(bytes[end] ?? 0)) end++;
  return end;
}

/** A digit, or one of "+-.eE". */
function isNumberByte(byte: number): boolean {
  return (
    (byte >= ZERO && byte <= 0x39) || byte === 0x2b || byte === MINUS || byte === POINT || (byte | 0x20) === LETTER_E
  );
}

/** The number of which a text is the shortest, so that no digit of it is lost; such a text is JSON. */
function canonicalNumber(text: string): number | undefined {
  const value = Number(text);
  return String(value) === text && Number.isFinite(value) ? value : undefined;
}
