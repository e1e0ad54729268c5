/**
 * JSON whose numbers are never altered. `JSON.parse` rounds a number that a double cannot hold and says nothing; here such
 * a number stays what was written, as the object that `JSON.rawJSON` makes (ECMA-262, "JSON.parse source text access"),
 * and `JSON.stringify` writes it back verbatim.
 */

/** A number as its JSON text, because no double's shortest text denotes the same decimal. */
export interface RawNumber {
  readonly rawJSON: string;
}

declare global {
  // The runtimes have these; TypeScript's library does not describe them yet.
  interface JSON {
    rawJSON(text: string): RawNumber;
    isRawJSON(value: unknown): value is RawNumber;
    parse(
      text: string,
      reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
    ): unknown;
  }
}

// A decimal of at most 15 significant digits survives a double (IEEE 754, DBL_DIG), and with an exponent of one or two
// digits stays in its range: only longer runs of digits, or longer exponents, are suspect. Outside of strings one of these
// characters stands before a number; inside a string one may too, which only costs time.
// No more characters are looked at than decide it, however long the number is.
const SUSPECT = /(?:^|[:,[\s])-?(?:\d[\d.]{15}|\d[\d.]{0,14}[eE][+-]?\d{3})/;

/** Whether the text may hold a number that `JSON.parse` would alter. Never false for one that does. */
export function mayAlterNumbers(text: string): boolean {
  return SUSPECT.test(text);
}

/** The shortest run of digits and points that is suspect. */
const MIN_RUN = 16;
/** The fewest digits of an exponent that is suspect. */
const MIN_EXPONENT = 3;

/**
 * The same of many events at once, in a fraction of the time, and true more often, since it also looks into strings. It
 * meets every run of three digits by looking at every third byte, and looks at each run once. What stands behind a run tells
 * an exponent from most of the hexadecimal in a UUID.
 */
export function mayAlterSomeNumber(bytes: Uint8Array): boolean {
  const { length } = bytes;
  for (let at = MIN_EXPONENT - 1; at < length; at += MIN_EXPONENT) {
    if (!isDigitOrPoint(bytes[at])) continue;
    let start = at;
    while (start > 0 && isDigitOrPoint(bytes[start - 1])) start--;
    let end = at + 1;
    while (end < length && isDigitOrPoint(bytes[end])) end++;
    if (end - start >= MIN_RUN) return true;
    if (end - start >= MIN_EXPONENT && isExponent(bytes, start) && isEndOfNumber(bytes[end])) return true;
    at = end;
  }
  return false;
}

/** "." and "/" and the digits: the slash between them only makes a suspect more. */
function isDigitOrPoint(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x2e && byte <= 0x39;
}

/** Whether the digits that begin at `start` stand behind an `e` or `E`, with or without a sign. */
function isExponent(bytes: Uint8Array, start: number): boolean {
  const sign = bytes[start - 1];
  const letter = sign === 0x2b || sign === 0x2d ? bytes[start - 2] : sign;
  return letter === 0x65 || letter === 0x45;
}

/** The end of the text, whitespace, a comma or a closing bracket. */
function isEndOfNumber(byte: number | undefined): boolean {
  return byte === undefined || byte <= 0x20 || byte === 0x2c || byte === 0x5d || byte === 0x7d;
}

/** The longest number that is kept as it is written. Decimals have at most 38 digits; a double's exact digits are fewer than 800. */
const MAX_NUMBER_CHARACTERS = 1_000;

/** A number of more characters: making a decimal of it takes time that grows faster than its length. */
export class LongNumber extends Error {
  override readonly name = "LongNumber";
  constructor(characters: number) {
    super(`a number has ${characters} characters: expected at most ${MAX_NUMBER_CHARACTERS}`);
  }
}

/** Like `JSON.parse`, with `RawNumber` for numbers that a double would alter. Throws SyntaxError, LongNumber, and RangeError where the nesting exceeds the stack (thousands of levels). */
export function parseExactJson(text: string): unknown {
  return JSON.parse(text, (_key, value, context) => {
    const { source } = context;
    if (typeof value !== "number" || source === undefined) return value;
    if (source.length > MAX_NUMBER_CHARACTERS) throw new LongNumber(source.length);
    return isAltered(source, value) ? JSON.rawJSON(source) : value;
  });
}

function isAltered(source: string, value: number): boolean {
  const text = String(value);
  return text !== source && decimalOf(source) !== decimalOf(text);
}

const NUMBER = /^-?(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

/** One text per decimal value: digits without zeros at either end, and the power of ten of the last digit. The sign is never lost and is left out. */
function decimalOf(text: string): string {
  const match = NUMBER.exec(text);
  if (match === null) return text;
  const fraction = match[2] ?? "";
  const digits = `${match[1]}${fraction}`;
  let first = 0;
  while (first < digits.length && digits[first] === "0") first++;
  let end = digits.length;
  while (end > first && digits[end - 1] === "0") end--;
  if (first === end) return "0";
  const exponent = Number(match[3] ?? "0") - fraction.length + (digits.length - end);
  return `${digits.slice(first, end)}e${exponent}`;
}

/** An integer as `parseExactJson` gives it: a number where that is exact, else the digits. */
export function jsonFromInteger(value: bigint): number | RawNumber {
  const near = Number(value);
  return Number.isSafeInteger(near) ? near : JSON.rawJSON(String(value));
}

/** Whether a value of `parseExactJson` is a number kept as text. */
export function isRawNumber(value: unknown): value is RawNumber {
  return JSON.isRawJSON(value);
}
