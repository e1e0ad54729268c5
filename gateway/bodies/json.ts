/** A JSON document: an array is many events, an object is one. Duplicate keys: the last wins, as in `JSON.parse`. */
import { isJsonObject } from "../../schemas/event-residue.ts";
import { mayAlterNumbers, mayAlterNumbersIn, parseExactJson } from "../../schemas/exact-json.ts";
import { elementGroups, elementSpans, OPEN_BRACKET, trimmed } from "./element-spans.ts";
import {
  bomLength,
  type EventBatch,
  type Fault,
  MalformedBody,
  malformed,
  mayHoldLoneSurrogates,
  parserMessage,
  type Span,
  textOf,
} from "./event-batch.ts";

/**
 * An array up to this size is parsed at once, which is fastest; a larger one in groups of elements of this size, since
 * parsed JSON takes several times the memory of its text.
 */
const GROUP_BYTES = 1_000_000;

/** Whether a body begins as a JSON array does. */
export function isArrayDocument(bytes: Uint8Array): boolean {
  return bytes[trimmed(bytes, bomLength(bytes), bytes.length).start] === OPEN_BRACKET;
}

/** A document that is one value, an array too; nothing for an empty one. Throws `MalformedBody`. */
export function* valueBatch(bytes: Uint8Array): Generator<EventBatch> {
  const document = trimmed(bytes, bomLength(bytes), bytes.length);
  if (document.start === document.end) return;
  const { value, text } = parse(bytes, document, "");
  yield batchOf([value], text, bytes, document, () => [document]);
}

/** Reads a document: its events, or nothing for an empty one. Throws `MalformedBody`, maybe after some of the batches. */
export function* jsonBatches(bytes: Uint8Array, groupBytes: number = GROUP_BYTES): Generator<EventBatch> {
  const document = trimmed(bytes, bomLength(bytes), bytes.length);
  if (document.start === document.end) return;
  if (bytes[document.start] !== OPEN_BRACKET) {
    for (const batch of valueBatch(bytes)) {
      if (!isJsonObject(batch.events[0]) && batch.faults.size === 0) {
        throw new MalformedBody("the document is neither an array of events nor one event (an object)", bytes, "text");
      }
      yield batch;
    }
    return;
  }
  const whole = document.end - document.start <= groupBytes;
  for (const group of whole ? [contentsOf(document)] : elementGroups(bytes, document, groupBytes)) {
    if (group === undefined)
      throw new MalformedBody("the body is not JSON: the array is not closed at its end", bytes, "text");
    const { value, text } = whole ? parse(bytes, document, "") : parse(bytes, group, "[]");
    if (!Array.isArray(value)) throw new MalformedBody("the body is not JSON", bytes, "text");
    if (value.length === 0) {
      // Nothing between two commas; only a whole document may have no element.
      if (!whole && !isWhole(group, document))
        throw new MalformedBody("the body is not JSON: an element is empty", bytes, "text");
      return;
    }
    yield batchOf(value, text, bytes, group, () => elementSpans(bytes, group.start, group.end));
  }
}

function contentsOf(array: Span): Span {
  return { start: array.start + 1, end: array.end - 1 };
}

function isWhole(group: Span, array: Span): boolean {
  return group.start === array.start + 1 && group.end === array.end - 1;
}

interface Parsed {
  readonly value: unknown;
  readonly text: string;
}

/** Parses a span, between brackets if they are given. Throws `MalformedBody` with the whole body. */
function parse(bytes: Uint8Array, span: Span, brackets: "" | "[]"): Parsed {
  const text = textOf(bytes.subarray(span.start, span.end));
  if (text === undefined) throw new MalformedBody("the body is not UTF-8", bytes, "text");
  try {
    return { value: JSON.parse(brackets === "" ? text : `[${text}]`), text };
  } catch (error) {
    const where = brackets === "" ? "" : ` after byte ${span.start}`;
    throw new MalformedBody(`the body is not JSON${where}: ${parserMessage(error)}`, bytes, "text");
  }
}

/** Makes the batch; reads the numbers again that a double cannot hold. */
function batchOf(events: unknown[], text: string, bytes: Uint8Array, at: Span, findSpans: () => Span[]): EventBatch {
  let spans: readonly Span[] | undefined;
  const payloadOf = (index: number) => {
    spans ??= findSpans();
    const { start, end } = spans[index] ?? at;
    return { offset: start, bytes: bytes.subarray(start, end), text: true };
  };
  const faults = new Map<number, Fault>();
  if (mayAlterNumbersIn(bytes.subarray(at.start, at.end))) readNumbersExactly(events, payloadOf, faults);
  return { events, faults, suspectSurrogates: mayHoldLoneSurrogates(text), schemaVersion: null, payloadOf };
}

// Element by element, so that only events with such a number are parsed again, and one nested too deep fails alone.
function readNumbersExactly(
  events: unknown[],
  payloadOf: (index: number) => { readonly bytes: Uint8Array },
  faults: Map<number, Fault>,
): void {
  for (let index = 0; index < events.length; index++) {
    const text = textOf(payloadOf(index).bytes) ?? "";
    if (!mayAlterNumbers(text)) continue;
    const event = exactEvent(text);
    if (event === undefined) faults.set(index, NESTED_TOO_DEEP);
    events[index] = event;
  }
}

export const NESTED_TOO_DEEP: Fault = malformed("the event is nested too deep to be read");

/** Parses valid JSON with every number kept; undefined if its nesting exceeds the stack. */
export function exactEvent(text: string): unknown {
  try {
    return parseExactJson(text);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
