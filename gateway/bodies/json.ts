/** A JSON document: an array is many events, an object is one. Duplicate keys: the last wins, as in `JSON.parse`. */
import { isJsonObject } from "../../schemas/event-residue.ts";
import {
  LongNumber,
  mayAlterNumbers,
  mayHoldLongExponent,
  mayHoldLongNumber,
  parseExactJson,
} from "../../schemas/exact-json.ts";
import { UNSCANNED_BYTES } from "../../schemas/json-bounds.ts";
import { boundsFault } from "./element-bounds.ts";
import { CLOSE_BRACKET, elementGroups, elementSpans, OPEN_BRACKET, trimmed } from "./element-spans.ts";
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
  unparsedBatch,
} from "./event-batch.ts";
import { likelyEnds } from "./likely-cuts.ts";

/**
 * A larger array is read in pieces of about this size. Parsed JSON takes several times the memory of its text, and a text of
 * more than 64 KB is not allocated among the young objects: decoding one takes several times as long (bench gateway).
 */
const PIECE_BYTES = 32_000;

/** An array that cannot be cut by guessing is parsed at once up to this size, and a larger one in groups of at most this size. */
const GROUP_BYTES = UNSCANNED_BYTES;

/** Whether a body begins as a JSON array does. */
export function isArrayDocument(bytes: Uint8Array): boolean {
  return bytes[trimmed(bytes, bomLength(bytes), bytes.length).start] === OPEN_BRACKET;
}

/** A document that is one value, an array too; nothing for an empty one. Throws `MalformedBody`. */
export function* valueBatch(bytes: Uint8Array): Generator<EventBatch> {
  const document = trimmed(bytes, bomLength(bytes), bytes.length);
  if (document.start === document.end) return;
  yield unparsed(bytes, document) ?? oneOf(bytes, document);
}

/** The batch of an element that is over a bound; undefined for one that may be parsed. */
function unparsed(bytes: Uint8Array, span: Span): EventBatch | undefined {
  const fault = boundsFault(bytes, span.start, span.end);
  return fault === undefined ? undefined : unparsedBatch(bytes, span, fault);
}

function oneOf(bytes: Uint8Array, document: Span): EventBatch {
  const { value, text } = parse(bytes, document, "");
  return batchOf([value], text, bytes, document, () => [document]);
}

/** How large the parts are in which an array is read; tests choose others. */
export interface ReadingSizes {
  readonly pieceBytes: number;
  readonly groupBytes: number;
}

const READING_SIZES: ReadingSizes = { pieceBytes: PIECE_BYTES, groupBytes: GROUP_BYTES };

/** Reads a document: its events, or nothing for an empty one. Throws `MalformedBody`, maybe after some of the batches. */
export function* jsonBatches(bytes: Uint8Array, sizes = READING_SIZES): Generator<EventBatch> {
  const document = trimmed(bytes, bomLength(bytes), bytes.length);
  if (document.start === document.end) return;
  if (bytes[document.start] === OPEN_BRACKET) {
    const rest = yield* pieces(bytes, document, sizes.pieceBytes);
    if (rest !== undefined) yield* groups(bytes, document, rest, sizes.groupBytes);
  } else {
    yield unparsed(bytes, document) ?? objectBatch(bytes, document);
  }
}

/** A document that must be one event. Throws `MalformedBody` for a scalar. */
function objectBatch(bytes: Uint8Array, document: Span): EventBatch {
  const batch = oneOf(bytes, document);
  if (isJsonObject(batch.events[0]) || batch.faults.size > 0) return batch;
  throw new MalformedBody("the document is neither an array of events nor one event (an object)", bytes, "text");
}

/** What of an array has not been read yet: from the byte behind a bracket or comma on, after so many elements. */
interface Rest {
  readonly start: number;
  readonly elements: number;
}

/** The fast way: cuts where elements likely end, for as long as that proves right. Returns what is left for the careful way. */
function* pieces(bytes: Uint8Array, array: Span, pieceBytes: number): Generator<EventBatch, Rest | undefined> {
  let start = array.start + 1;
  let elements = 0;
  if (bytes[array.end - 1] !== CLOSE_BRACKET) return { start, elements };
  const room = new Uint8Array(Math.min(pieceBytes * 2, array.end - array.start));
  for (const end of likelyEnds(bytes, array, pieceBytes)) {
    const piece = { start, end };
    if (end - start > UNSCANNED_BYTES) return { start, elements };
    const text = textOf(bracketed(bytes, piece, room));
    const events = text === undefined ? undefined : elementsOf(text);
    if (text === undefined || events === undefined) return { start, elements };
    yield batchOf(events, text, bytes, piece, () => elementSpans(bytes, piece.start, piece.end));
    start = end + 1;
    elements += events.length;
  }
  return undefined;
}

/** A span between brackets, in `room` if that is large enough: brackets put around a text would copy it once more. */
function bracketed(bytes: Uint8Array, { start, end }: Span, room: Uint8Array): Uint8Array {
  const length = end - start + 2;
  const array = room.byteLength < length ? new Uint8Array(length) : room.subarray(0, length);
  array[0] = OPEN_BRACKET;
  array.set(bytes.subarray(start, end), 1);
  array[length - 1] = CLOSE_BRACKET;
  return array;
}

/** The elements of an array; undefined if it is none, or empty. */
function elementsOf(text: string): unknown[] | undefined {
  const value = jsonOf(text);
  return Array.isArray(value) && value.length > 0 ? value : undefined;
}

/** The value of a JSON text; undefined if it is none. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The careful way: at once, or in groups between commas that are known to stand between elements. */
function* groups(bytes: Uint8Array, array: Span, rest: Rest, groupBytes: number): Generator<EventBatch> {
  if (array.end - array.start <= groupBytes) {
    const { value, text } = parse(bytes, array, "");
    if (!Array.isArray(value)) throw new MalformedBody("the body is not JSON", bytes, "text");
    const findSpans = () => elementSpans(bytes, array.start + 1, array.end - 1).slice(rest.elements);
    if (value.length > rest.elements) yield batchOf(value.slice(rest.elements), text, bytes, array, findSpans);
    return;
  }
  const unread = { start: rest.start - 1, end: array.end };
  for (const group of elementGroups(bytes, unread, groupBytes)) {
    if (group === undefined)
      throw new MalformedBody("the body is not JSON: the array is not closed at its end", bytes, "text");
    const large = unparsed(bytes, trimmed(bytes, group.start, group.end));
    if (large !== undefined) {
      yield large;
      continue;
    }
    const { value, text } = parse(bytes, group, "[]");
    if (!Array.isArray(value)) throw new MalformedBody("the body is not JSON", bytes, "text");
    if (value.length === 0) {
      // Nothing between two commas; only a whole document may have no element.
      if (!isWhole(group, array)) throw new MalformedBody("the body is not JSON: an element is empty", bytes, "text");
      return;
    }
    yield batchOf(value, text, bytes, group, () => elementSpans(bytes, group.start, group.end));
  }
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

/** Makes the batch; reads the long numbers again that a double cannot hold. */
function batchOf(events: unknown[], text: string, bytes: Uint8Array, at: Span, findSpans: () => Span[]): EventBatch {
  let spans: readonly Span[] | undefined;
  const payloadOf = (index: number) => {
    spans ??= findSpans();
    const { start, end } = spans[index] ?? at;
    return { offset: start, bytes: bytes.subarray(start, end), text: true };
  };
  const faults = new Map<number, Fault>();
  const values = { events, faults, jsonOf: (index: number) => textOf(payloadOf(index).bytes) ?? "" };
  const isRead = mayHoldLongNumber(bytes.subarray(at.start, at.end));
  if (isRead) readNumbersExactly(values);
  const reread = isRead ? () => false : rereading(values, text);
  return { events, faults, suspectSurrogates: mayHoldLoneSurrogates(text), schemaVersion: null, reread, payloadOf };
}

/** Parsed events, and the JSON of each. */
export interface ParsedEvents {
  readonly events: unknown[];
  readonly faults: Map<number, Fault>;
  jsonOf(index: number): string;
}

/**
 * Puts events whose numbers `JSON.parse` may have altered in place of what it gave. Event by event, so that only those with
 * such a number are parsed again, and one nested too deep fails alone.
 */
export function readNumbersExactly(values: ParsedEvents): void {
  for (let index = 0; index < values.events.length; index++) readExactly(values, index);
}

/** Makes the `reread` of a batch. `text` is the batch's JSON and has no long number, so only long exponents are sought in it, once. */
export function rereading(values: ParsedEvents, text: string): EventBatch["reread"] {
  let hasExponent: boolean | undefined;
  return (index) => {
    hasExponent ??= mayHoldLongExponent(text);
    return hasExponent && readExactly(values, index);
  };
}

function readExactly({ events, faults, jsonOf }: ParsedEvents, index: number): boolean {
  if (faults.has(index)) return false;
  const json = jsonOf(index);
  if (!mayAlterNumbers(json)) return false;
  const { event, fault } = exactEvent(json);
  if (fault !== null) faults.set(index, fault);
  events[index] = event;
  return true;
}

/** An event with every number kept, or why it cannot be read so; `event` is undefined then. */
export interface ExactEvent {
  readonly event: unknown;
  readonly fault: Fault | null;
}

/** Parses valid JSON. */
export function exactEvent(text: string): ExactEvent {
  try {
    return { event: parseExactJson(text), fault: null };
  } catch (error) {
    if (error instanceof LongNumber) return { event: undefined, fault: malformed(error.message) };
    // Its nesting exceeds the stack.
    if (error instanceof RangeError) return { event: undefined, fault: NESTED_TOO_DEEP };
    throw error;
  }
}

const NESTED_TOO_DEEP: Fault = malformed("the event is nested too deep to be read");
