/** A JSON document: an array is many events, an object is one. Duplicate keys: the last wins, as in `JSON.parse`. */
import { isJsonObject } from "../../schemas/event-residue.ts";
import { mayAlterNumbers, mayAlterNumbersIn, parseExactJson } from "../../schemas/exact-json.ts";
import {
  type DecodedBody,
  EmptyBody,
  MalformedBody,
  mayHoldLoneSurrogates,
  parserMessage,
  type Span,
  TooManyEvents,
  textOf,
} from "./decoded-body.ts";
import { elementSpans, trimmed } from "./element-spans.ts";

/** Reads a document. Throws `MalformedBody`, `EmptyBody`, `TooManyEvents`. */
export function decodeJson(bytes: Uint8Array, maxEvents: number): DecodedBody {
  const text = textOf(bytes);
  if (text === undefined) throw new MalformedBody("the body is not UTF-8");
  if (text.trim() === "") throw new EmptyBody("the body is empty");
  const document = parseDocument(text);
  const isArray = Array.isArray(document);
  if (!isArray && !isJsonObject(document)) {
    throw new MalformedBody("the document is neither an array of events nor one event (an object)");
  }
  const events: unknown[] = isArray ? document : [document];
  if (events.length === 0) throw new EmptyBody("the array has no event");
  if (events.length > maxEvents) throw new TooManyEvents(events.length);

  let spans: readonly Span[] | undefined;
  const spanOf = (index: number): Span => {
    spans ??= isArray ? elementSpans(bytes) : [trimmed(bytes, bomLength(bytes), bytes.length)];
    return spans[index] ?? { start: 0, end: bytes.length };
  };
  const malformed = new Map<number, string>();
  if (mayAlterNumbersIn(bytes)) readNumbersExactly(events, bytes, spanOf, malformed);
  return { events, malformed, suspectSurrogates: mayHoldLoneSurrogates(text), spanOf };
}

function parseDocument(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new MalformedBody(`the body is not JSON: ${parserMessage(error)}`);
  }
}

// Element by element, so that only events with such a number are parsed again, and one nested too deep fails alone.
function readNumbersExactly(
  events: unknown[],
  bytes: Uint8Array,
  spanOf: (index: number) => Span,
  malformed: Map<number, string>,
): void {
  for (let index = 0; index < events.length; index++) {
    const { start, end } = spanOf(index);
    const text = textOf(bytes.subarray(start, end)) ?? "";
    if (!mayAlterNumbers(text)) continue;
    const event = exactEvent(text);
    if (event === undefined) malformed.set(index, NESTED_TOO_DEEP);
    events[index] = event;
  }
}

export const NESTED_TOO_DEEP = "the event is nested too deep to be read";

/** Parses valid JSON with every number kept; undefined if its nesting exceeds the stack. */
export function exactEvent(text: string): unknown {
  try {
    return parseExactJson(text);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** UTF-8's byte order mark, EF BB BF, which decoding drops. */
export function bomLength(bytes: Uint8Array): number {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
}
