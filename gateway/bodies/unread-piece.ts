/**
 * Events of a body that nobody has made values of yet. Who asks for the next piece has read this one: with `parse`, or from its
 * bytes, and then says so with `took`.
 */
import type { EventBatch, Span } from "./event-batch.ts";

export const COMMA = 0x2c;
export const NEWLINE = 0x0a;
export const NO_SEPARATOR = -1;

export interface UnreadPiece extends Span {
  readonly bytes: Uint8Array;
  /** The byte between two events: a comma, a newline, or none, of one event. */
  readonly separator: number;
  /** Reads the events; undefined where they are no JSON: then the body's format reads on from the piece's beginning in another way. */
  parse(): EventBatch | undefined;
  /** Reads one of them, which stands alone in its span; undefined if none does. */
  parseOne(span: Span): EventBatch | undefined;
  /** The piece was read from its bytes, and had so many events. */
  took(events: number): void;
}

export function isUnread(part: EventBatch | UnreadPiece): part is UnreadPiece {
  return "parse" in part;
}

/** As `parsed`, of a body that is read as it arrives. */
export async function* parsedAsync(parts: AsyncIterable<EventBatch | UnreadPiece>): AsyncGenerator<EventBatch> {
  for await (const part of parts) {
    const batch = isUnread(part) ? part.parse() : part;
    if (batch !== undefined) yield batch;
  }
}

/** The batches of pieces that are parsed, one and all. */
export function* parsed(parts: Iterable<EventBatch | UnreadPiece>): Generator<EventBatch> {
  for (const part of parts) {
    const batch = isUnread(part) ? part.parse() : part;
    if (batch !== undefined) yield batch;
  }
}
