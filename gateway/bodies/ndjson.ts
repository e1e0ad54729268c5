/**
 * Newline-delimited JSON: one event per line, each read alone, so that a bad line costs no other. Blank lines are skipped
 * and are no events; `\r\n` is taken for `\n`.
 */
import { mayAlterNumbers, mayAlterNumbersIn } from "../../schemas/exact-json.ts";
import {
  type DecodedBody,
  EmptyBody,
  mayHoldLoneSurrogates,
  parserMessage,
  type Span,
  TooManyEvents,
  textOf,
} from "./decoded-body.ts";
import { trimmed } from "./element-spans.ts";
import { bomLength, exactEvent, NESTED_TOO_DEEP } from "./json.ts";

const NEWLINE = 0x0a;

/** Reads all lines. Throws `EmptyBody` and `TooManyEvents`, never for what a line holds. */
export function decodeNdjson(bytes: Uint8Array, maxEvents: number): DecodedBody {
  const text = textOf(bytes);
  let spans: readonly Span[] | undefined;
  const spanOf = (index: number): Span => {
    spans ??= lineSpans(bytes);
    return spans[index] ?? { start: 0, end: bytes.length };
  };
  // The whole body is decoded at once; only a body that is not UTF-8 somewhere is decoded line by line.
  const lines =
    text === undefined ? lineSpans(bytes).map((span) => textOf(bytes.subarray(span.start, span.end))) : linesOf(text);
  if (lines.length === 0) throw new EmptyBody("the body has no line with an event");
  if (lines.length > maxEvents) throw new TooManyEvents(lines.length);

  const exact = mayAlterNumbersIn(bytes);
  const malformed = new Map<number, string>();
  const events = lines.map((line, index) => {
    if (line === undefined) {
      malformed.set(index, "the line is not UTF-8");
      return undefined;
    }
    try {
      const event: unknown = JSON.parse(line);
      if (!exact || !mayAlterNumbers(line)) return event;
    } catch (error) {
      malformed.set(index, `the line is not JSON: ${parserMessage(error)}`);
      return undefined;
    }
    const event = exactEvent(line);
    if (event === undefined) malformed.set(index, NESTED_TOO_DEEP);
    return event;
  });
  const suspectSurrogates = text === undefined || mayHoldLoneSurrogates(text);
  return { events, malformed, suspectSurrogates, spanOf };
}

// Blank is what `lineSpans` calls blank: JSON's whitespace only.
const BLANK = /^[ \t\r]*$/;

function linesOf(text: string): string[] {
  return text.split("\n").filter((line) => !BLANK.test(line));
}

/** The lines that are not blank, without the whitespace around them. */
function lineSpans(bytes: Uint8Array): Span[] {
  const spans: Span[] = [];
  for (let start = bomLength(bytes); start < bytes.length; ) {
    const newline = bytes.indexOf(NEWLINE, start);
    const end = newline < 0 ? bytes.length : newline;
    const span = trimmed(bytes, start, end);
    if (span.start < span.end) spans.push(span);
    start = end + 1;
  }
  return spans;
}
