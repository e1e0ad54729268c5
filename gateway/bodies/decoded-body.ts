/** What every body format gives: the events of a request, and where each stands in the bytes. */

/** The bytes [start, end) of the decoded body. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface DecodedBody {
  /** Parsed JSON values by index; undefined for one that is in `malformed`. */
  readonly events: readonly unknown[];
  /** Why an event could not be read, by index. */
  readonly malformed: ReadonlyMap<number, string>;
  /** Whether an escape such as \ud800 occurs: only then can a string hold a lone surrogate. */
  readonly suspectSurrogates: boolean;
  /** Where an event stands. Only asked for refused events: the first call scans the body, in time linear to its length. */
  spanOf(index: number): Span;
}

/** A body that is no document of its format: none of it can be read. `detail` is for the producer. */
export class MalformedBody extends Error {
  override readonly name = "MalformedBody";
}

/** A body without an event. */
export class EmptyBody extends Error {
  override readonly name = "EmptyBody";
}

/** More events than a request may hold. */
export class TooManyEvents extends Error {
  override readonly name = "TooManyEvents";
  readonly events: number;
  constructor(events: number) {
    super(`the body has ${events} events`);
    this.events = events;
  }
}

const SURROGATE_ESCAPE = /\\u[dD][89a-fA-F]/;

/** Whether the text has an escape of a surrogate code point. */
export function mayHoldLoneSurrogates(text: string): boolean {
  return text.includes("\\u") && SURROGATE_ESCAPE.test(text);
}

/** UTF-8 to text, or undefined if the bytes are not UTF-8. A byte order mark at the start is dropped. */
export function textOf(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

/** The first sentence of a JSON parser's complaint. */
export function parserMessage(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.slice(0, 200).toWellFormed();
}
