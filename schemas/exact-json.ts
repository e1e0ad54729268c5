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

// A number stands after one of these characters everywhere but at the start of a document. A decimal of at most 15
// significant digits survives a double (IEEE 754, DBL_DIG), and with an exponent of one or two digits stays in its range:
// so only longer runs of digits, or longer exponents, are suspect. A text inside a string may match too: that only costs time.
const SUSPECT = /(?:^|[:,[\s])-?(?:\d[\d.]{15,}|\d[\d.]*[eE][+-]?\d{3,})/;

/** Whether the text may hold a number that `JSON.parse` would alter. Never false for one that does. */
export function mayAlterNumbers(text: string): boolean {
  return SUSPECT.test(text);
}

/** Like `JSON.parse`, with `RawNumber` for numbers that a double would alter. Throws SyntaxError, and RangeError where the nesting exceeds the stack (thousands of levels). */
export function parseExactJson(text: string): unknown {
  return JSON.parse(text, (_key, value, context) =>
    typeof value === "number" && context.source !== undefined && isAltered(context.source, value)
      ? JSON.rawJSON(context.source)
      : value,
  );
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

/** Whether a value of `parseExactJson` is a number kept as text. */
export function isRawNumber(value: unknown): value is RawNumber {
  return JSON.isRawJSON(value);
}
