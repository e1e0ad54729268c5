/**
 * The bounds of one event as JSON, looked at in its bytes before it is parsed: a value takes up to fifty times the memory of its text
 * (`{}` in an array), and a few kilobytes of gzip may stand for millions of them. One pass, without recursion or patterns.
 */

/** An event has at most 100,000 bytes once it is encoded, and its JSON hardly ten times that. */
export const MAX_JSON_BYTES = 1_000_000;
/** Numbers, texts, literals, arrays and objects together. */
export const MAX_VALUES = 100_000;
/** Of arrays and objects inside each other. Admission allows unknown fields a tenth of it; here it bounds what the parser keeps. */
export const MAX_DEPTH = 1_000;

/** A value and what separates it from the next take two bytes at least: a text of this length cannot hold too many, and is not scanned. */
export const UNSCANNED_BYTES = MAX_VALUES * 2;

/** A text that is not to be parsed. `detail` continues a sentence about it, such as "the event". */
export interface OverBound {
  readonly bound: "bytes" | "values" | "depth";
  readonly detail: string;
}

/** Which bound the JSON in [start, end) is over; undefined if it may be parsed. Whether it is JSON is not asked. */
export function overBound(bytes: Uint8Array, start = 0, end = bytes.length): OverBound | undefined {
  const length = end - start;
  if (length <= UNSCANNED_BYTES) return undefined;
  if (length <= MAX_JSON_BYTES) return overShape(bytes, start, end);
  return { bound: "bytes", detail: `has ${length} bytes as JSON: expected at most ${MAX_JSON_BYTES}` };
}

function overShape(bytes: Uint8Array, start: number, end: number): OverBound | undefined {
  let depth = 0;
  let values = 1;
  for (let at = start; at < end; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) {
      at = endOfString(bytes, at);
    } else if (byte === COMMA) {
      values++;
    } else if (isOpen(byte)) {
      const next = afterSpace(bytes, at + 1, end);
      if (isClose(bytes[next])) {
        at = next;
        continue;
      }
      // Its first member; the others have a comma before them.
      values++;
      if (++depth > MAX_DEPTH) return { bound: "depth", detail: `is nested deeper than ${MAX_DEPTH} levels` };
    } else if (isClose(byte)) {
      depth--;
    }
    if (values > MAX_VALUES) return { bound: "values", detail: `has more than ${MAX_VALUES} values` };
  }
  return undefined;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;

function isOpen(byte: number | undefined): boolean {
  return byte === 0x5b || byte === 0x7b;
}

function isClose(byte: number | undefined): boolean {
  return byte === 0x5d || byte === 0x7d;
}

/** The position of the closing quote of the string that opens at `at`. */
export function endOfString(bytes: Uint8Array, at: number): number {
  let end = at + 1;
  while (end < bytes.length && bytes[end] !== QUOTE) end += bytes[end] === BACKSLASH ? 2 : 1;
  return end;
}

/** The position of the first byte in [at, end) that is no whitespace; `end` if there is none. */
export function afterSpace(bytes: Uint8Array, at: number, end: number): number {
  let next = at;
  while (next < end && isSpace(bytes[next])) next++;
  return next;
}

/** Space, tab, line feed, carriage return (RFC 8259, section 2). */
export function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d;
}
