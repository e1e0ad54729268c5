/**
 * What every body format gives: the events of a request in pieces, in order, each with its position. A piece is judged
 * before the next one is read, so that the memory of a request stays near the size of its body, whatever its format.
 */

/** The bytes [start, end). */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Why an event could not be read. `detail` is for the producer. */
export interface Fault {
  readonly error_type: "MALFORMED_PAYLOAD" | "UNKNOWN_SCHEMA" | "EVENT_TOO_LARGE";
  readonly detail: string;
}

/** An event as its dead letter keeps it. */
export interface EventPayload {
  /** Where the event begins in the decoded body, in bytes. */
  readonly offset: number;
  readonly bytes: Uint8Array;
  /** False for bytes that are no text, even if they happen to be UTF-8. */
  readonly text: boolean;
}

export interface EventBatch {
  /** Parsed JSON values by index in this batch; undefined for one that is in `faults`. */
  readonly events: readonly unknown[];
  readonly faults: ReadonlyMap<number, Fault>;
  /** Whether an escape such as \ud800 occurs: only then can a string hold a lone surrogate. */
  readonly suspectSurrogates: boolean;
  /** The version that these bytes are written with, where the format says so; null: the event or the request says it. */
  readonly schemaVersion: number | null;
  /**
   * Reads an event again that holds a number which `JSON.parse` may have altered though its digits are few (`isExtreme`), and puts
   * what it reads in the event's place, in `events` or in `faults`. False: the event stands as it is. Valid until the next batch is read.
   */
  reread(index: number): boolean;
  /**
   * Valid until the next batch is read. Only asked for refused events: the first call of a batch scans it, in time linear
   * to its length. The bytes may share memory with the body.
   */
  payloadOf(index: number): EventPayload;
}

/** A body that is no document of its format: none of it can be read. The message is for the producer. */
export class MalformedBody extends Error {
  override readonly name = "MalformedBody";
  /** What was received. */
  readonly body: Uint8Array;
  readonly format: "text" | "binary";
  constructor(detail: string, body: Uint8Array, format: "text" | "binary") {
    super(detail);
    this.body = body;
    this.format = format;
  }
}

/** A body without an event. */
export class EmptyBody extends Error {
  override readonly name = "EmptyBody";
}

/** More events than a request may hold. The rest of the body is not read. */
export class TooManyEvents extends Error {
  override readonly name = "TooManyEvents";
  readonly maxEvents: number;
  constructor(maxEvents: number) {
    super(`the body has more than ${maxEvents} events`);
    this.maxEvents = maxEvents;
  }
}

/** Inflated the body is larger than one may be. The rest is not read. */
export class InflatedTooLarge extends Error {
  override readonly name = "InflatedTooLarge";
  readonly maxBytes: number;
  constructor(maxBytes: number) {
    super(`inflated the body has more than ${maxBytes} bytes`);
    this.maxBytes = maxBytes;
  }
}

/** One event of a text that is not to be parsed. */
export function unparsedBatch(bytes: Uint8Array, { start, end }: Span, fault: Fault): EventBatch {
  return {
    events: [undefined],
    faults: new Map([[0, fault]]),
    suspectSurrogates: false,
    schemaVersion: null,
    reread: () => false,
    payloadOf: () => ({ offset: start, bytes: bytes.subarray(start, end), text: true }),
  };
}

/** A body that, as a whole, is one event that cannot be read. */
export function unreadableBody(body: Uint8Array, format: "text" | "binary", fault: Fault): EventBatch {
  return {
    events: [undefined],
    faults: new Map([[0, fault]]),
    suspectSurrogates: false,
    schemaVersion: null,
    reread: () => false,
    payloadOf: () => ({ offset: 0, bytes: body, text: format === "text" }),
  };
}

/** A document that cannot be read, in the place of its events. */
export function documentBatch({ body, format, message }: MalformedBody): EventBatch {
  return unreadableBody(body, format, malformed(message));
}

export function malformed(detail: string): Fault {
  return { error_type: "MALFORMED_PAYLOAD", detail };
}

const SURROGATE_ESCAPE = /\\u[dD][89a-fA-F]/;

/** Whether the text has an escape of a surrogate code point. */
export function mayHoldLoneSurrogates(text: string): boolean {
  // Without the pattern for most texts with escapes, such as Python's of accented letters: it takes ten times as long.
  return (text.includes("\\ud") || text.includes("\\uD")) && SURROGATE_ESCAPE.test(text);
}

/** UTF-8 to text, or undefined if the bytes are not UTF-8. A byte order mark is a character like any other. */
export function textOf(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The length of UTF-8's byte order mark, EF BB BF, if the body begins with one. It is no part of the first event. */
export function bomLength(bytes: Uint8Array): number {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
}

/** The first sentence of a JSON parser's complaint. */
export function parserMessage(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.slice(0, 200).toWellFormed();
}
