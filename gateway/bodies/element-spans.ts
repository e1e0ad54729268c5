/**
 * Where the elements of a JSON array stand in its bytes. Linear and without recursion: it looks at quotes, escapes, brackets
 * and commas and nothing else, so what it says is only true of bytes that `JSON.parse` accepts, before or after.
 */
import { afterSpace, endOfString, isSpace } from "../../schemas/json-bounds.ts";
import type { Span } from "./event-batch.ts";

export const COMMA = 0x2c;
const QUOTE = 0x22;
export const OPEN_BRACKET = 0x5b;
export const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** The spans of the elements between an array's brackets, [start, end), without the whitespace around them. */
export function elementSpans(bytes: Uint8Array, start: number, end: number): Span[] {
  const spans: Span[] = [];
  for (let at = start; at <= end; at++) {
    const stop = elementEnd(bytes, at, end);
    spans.push(trimmed(bytes, at, stop));
    at = stop;
  }
  return spans;
}

/**
 * Cuts an array into groups of whole elements, without the commas between the groups: of at most `groupBytes`, or of one element that is
 * larger. The array is JSON exactly if `[` + group + `]` is, for each, and none but an only one is blank. Returns undefined in place
 * of a group where the array does not end at the end of its span.
 */
export function* elementGroups(bytes: Uint8Array, array: Span, groupBytes: number): Generator<Span | undefined> {
  const last = array.end - 1;
  let depth = 0;
  let start = array.start + 1;
  /** The last comma of the group, behind which it can be cut; before `start` there is none. */
  let comma = array.start;
  function* upTo(end: number): Generator<Span> {
    if (end - start > groupBytes && comma >= start) {
      yield { start, end: comma };
      start = comma + 1;
    }
  }
  for (let at = start; at < last; at++) {
    switch (bytes[at]) {
      case QUOTE:
        at = endOfString(bytes, at);
        break;
      case OPEN_BRACKET:
      case OPEN_BRACE:
        depth++;
        break;
      case CLOSE_BRACKET:
      case CLOSE_BRACE:
        depth--;
        break;
      case COMMA:
        if (depth !== 0) break;
        yield* upTo(at);
        comma = at;
        if (at - start <= groupBytes) break;
        yield { start, end: at };
        start = at + 1;
        break;
    }
    // A bracket that closes the array before its end: what follows it is not JSON, so the last group is not.
    if (depth < 0) break;
  }
  if (depth === 0 && bytes[last] === CLOSE_BRACKET) {
    yield* upTo(last);
    yield { start, end: last };
  } else yield undefined;
}

/** Where the element ends that begins at `at`, with the whitespace behind it: at a comma, or at the end of the elements. */
function elementEnd(bytes: Uint8Array, start: number, end: number): number {
  let depth = 0;
  for (let at = start; at < end; at++) {
    switch (bytes[at]) {
      case QUOTE:
        at = endOfString(bytes, at);
        break;
      case OPEN_BRACKET:
      case OPEN_BRACE:
        depth++;
        break;
      case CLOSE_BRACKET:
      case CLOSE_BRACE:
        depth--;
        break;
      case COMMA:
        if (depth === 0) return at;
        break;
    }
  }
  return end;
}

/** Without JSON's whitespace at either end. */
export function trimmed(bytes: Uint8Array, start: number, end: number): Span {
  const first = afterSpace(bytes, start, end);
  let last = end;
  while (last > first && isSpace(bytes[last - 1])) last--;
  return { start: first, end: last };
}
