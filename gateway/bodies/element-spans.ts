/**
 * Where the elements of a JSON array stand in its bytes. Linear, without recursion, and only for bytes that `JSON.parse`
 * has accepted: it looks at quotes, escapes, brackets and commas and nothing else.
 */
import type { Span } from "./decoded-body.ts";

const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** The spans of the elements, without the whitespace around them. */
export function elementSpans(bytes: Uint8Array): Span[] {
  const spans: Span[] = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at < bytes.length; at++) {
    switch (bytes[at]) {
      case QUOTE:
        at = endOfString(bytes, at);
        break;
      case OPEN_BRACKET:
      case OPEN_BRACE:
        depth++;
        if (depth === 1) start = at + 1;
        break;
      case COMMA:
        if (depth === 1) {
          spans.push(trimmed(bytes, start, at));
          start = at + 1;
        }
        break;
      case CLOSE_BRACKET:
      case CLOSE_BRACE:
        depth--;
        if (depth === 0) spans.push(trimmed(bytes, start, at));
        break;
    }
  }
  return spans;
}

/** The position of the closing quote of the string that opens at `at`. */
function endOfString(bytes: Uint8Array, at: number): number {
  let end = at + 1;
  while (end < bytes.length && bytes[end] !== QUOTE) end += bytes[end] === BACKSLASH ? 2 : 1;
  return end;
}

/** Without JSON's whitespace at either end. */
export function trimmed(bytes: Uint8Array, start: number, end: number): Span {
  let first = start;
  let last = end;
  while (first < last && isSpace(bytes[first])) first++;
  while (last > first && isSpace(bytes[last - 1])) last--;
  return { start: first, end: last };
}

/** Space, tab, line feed, carriage return (RFC 8259, section 2). */
function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d;
}
