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

/**
 * One half of `mayAlterNumbers`, for many values at once: whether such a run stands in their JSON, in strings too. Sixteen bytes hold
 * three words in a row that lie as V8 reads them at once, so every third word is looked at, and then those beside it: in
 * ordinary text hardly any is all digits, where a single byte often is one.
 */
export function mayHoldLongNumber(bytes: Uint8Array): boolean {
  const { length } = bytes;
  if (length < MIN_RUN) return false;
  const first = -bytes.byteOffset & 3;
  const words = new Int32Array(bytes.buffer, bytes.byteOffset + first, (length - first) >> 2);
  for (let word = 2; word < words.length; word += 3) {
    if (!areDigitsOrPoints(words[word] ?? 0)) continue;
    if (!areDigitsOrPoints(words[word - 1] ?? 0) && !areDigitsOrPoints(words[word + 1] ?? 0)) continue;
    let start = first + word * 4;
    let end = start + 4;
    while (start > 0 && isDigitOrPoint(bytes[start - 1])) start--;
    while (end < length && isDigitOrPoint(bytes[end])) end++;
    if (end - start >= MIN_RUN) return true;
  }
  return false;
}

/** `isDigitOrPoint` of all four bytes of a word, in whatever order. Each subtraction stays within its byte, whose highest bit tells its sign. */
function areDigitsOrPoints(word: number): boolean {
  // All of them lie between 0x20 and 0x3f, which few words of a text do.
  if ((word & 0xe0e0e0e0) !== 0x20202020) return false;
  const notBelow = (word | 0x80808080) - 0x2e2e2e2e;
  const notAbove = 0xb9b9b9b9 - word;
  return (notBelow & notAbove & 0x80808080) === (0x80808080 | 0);
}

/** "." and "/" and the digits: the slash between them only makes a suspect more. */
function isDigitOrPoint(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x2e && byte <= 0x39;
}

const LONG_EXPONENT = /\d[eE][+-]?\d{3,}(?:[,\]}\s]|$)/;

/**
 * The other half: whether a JSON text holds an exponent of three digits or more in front of what may end a number. It takes longer
 * than all else that is asked of a batch, and is only asked where a value is extreme: a number without a long run of digits has at
 * most 15 of them, which a double keeps, unless its exponent makes it zero, next to nothing or infinite.
 */
export function mayHoldLongExponent(text: string): boolean {
  return LONG_EXPONENT.test(text);
}

/** Within these a double has its full precision; its range is a little wider, from 2.3e-308 to 1.8e308. */
const LEAST_SURE = 1e-300;
const MOST_SURE = 1e300;

/** Values nested deeper are taken for suspects, so that the walk needs little of the stack. */
const MAX_WALKED = 100;

/** Whether a parsed value is, or holds, a number that an exponent may have taken out of a double's range. */
export function isExtreme(value: unknown, depth = 0): boolean {
  if (typeof value === "number") return isExtremeNumber(value);
  return isContainer(value) && holdsExtreme(value, depth + 1);
}

/** The same of a number. */
export function isExtremeNumber(value: number): boolean {
  const size = Math.abs(value);
  return size < LEAST_SURE || size > MOST_SURE;
}

function holdsExtreme(container: Container, depth: number): boolean {
  if (depth > MAX_WALKED) return true;
  if (Array.isArray(container)) {
    for (const item of container) if (isExtreme(item, depth)) return true;
    return false;
  }
  for (const key in container) if (isExtreme(container[key], depth)) return true;
  return false;
}

type Container = Readonly<Record<string, unknown>>;

/** Whether a value of `JSON.parse` is an object or an array. */
function isContainer(value: unknown): value is Container {
  return typeof value === "object" && value !== null;
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
