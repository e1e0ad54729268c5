/**
 * Reads the events of a body from their bytes where admission takes them so, and makes values of the others. A piece is read
 * as a whole or not at all: nothing of it counts before its last byte was looked at.
 */
import type { AvroOutput } from "../schemas/avro-output.ts";
import { keepShape } from "../schemas/kept-shape.ts";
import type { AdmittedEvent, TakenEvent } from "./admit/admitter.ts";
import { FAIL, JsonInput } from "./admit/byte-pass/byte-pass.ts";
import type { TakeEvent } from "./admit/topics.ts";
import { afterSpace, elementEnd } from "./bodies/element-spans.ts";
import type { EventBatch, EventPayload, Fault } from "./bodies/event-batch.ts";
import { isUnread, NEWLINE, type UnreadPiece } from "./bodies/unread-piece.ts";

/** A batch in which some events are admitted already: of those, `events` has no more than `TakenEvent` does. */
export interface ReadBatch extends EventBatch {
  readonly admissions?: readonly (AdmittedEvent | undefined)[];
}

/** Reads the next part of a body, whose first event has the index `first`; undefined where its format has to read it in another way. */
export type ReadPart = (part: EventBatch | UnreadPiece, first: number) => ReadBatch | undefined;

/**
 * An event that is not taken costs more than one that nobody tried to take: once a body has had so many more of them than
 * of others, it is no longer tried.
 */
const PATIENCE = 16;

/** The reader of one body's parts, in their order. `take`: null for a topic whose events are never taken. */
export function createPartReader(take: TakeEvent | null, output: AvroOutput): ReadPart {
  let patience = PATIENCE;

  function readPiece(piece: UnreadPiece, first: number, take: TakeEvent): ReadBatch | undefined {
    const { bytes, end, separator } = piece;
    const json = new JsonInput(bytes);
    const batch = new GrowingBatch();
    let at = afterSpace(bytes, piece.start, end);
    // Behind the last line may stand a newline, behind the last element no comma.
    while (at < end || separator !== NEWLINE) {
      if (patience <= 0) return undefined;
      const limit = separator === NEWLINE ? endOfLine(bytes, at, end) : end;
      const taken = take(json, at, first + batch.events.length);
      const behind = taken === undefined ? FAIL : afterSpace(bytes, taken.end, limit);
      if (taken !== undefined && (behind === limit || (behind < limit && bytes[behind] === separator))) {
        if (patience < PATIENCE) patience++;
        batch.addTaken(taken);
        at = behind;
      } else {
        if (taken !== undefined) output.at = taken.admission.start;
        patience--;
        const stop = separator === NEWLINE ? limit : elementEnd(bytes, at, end);
        const parsed = piece.parseOne({ start: at, end: stop });
        if (parsed === undefined) return undefined;
        batch.addParsed(parsed);
        at = stop;
      }
      if (at === end) break;
      at = afterSpace(bytes, at + 1, end);
    }
    piece.took(batch.events.length);
    return batch;
  }

  return (part, first) => {
    if (!isUnread(part)) return part;
    const begin = output.at;
    const batch = take === null || patience <= 0 ? undefined : readPiece(part, first, take);
    if (batch !== undefined) return batch;
    output.at = begin;
    return part.parse();
  };
}

class GrowingBatch implements ReadBatch {
  readonly events: unknown[] = [];
  readonly admissions: (AdmittedEvent | undefined)[] = [];
  readonly faults = new Map<number, Fault>();
  readonly schemaVersion = null;
  suspectSurrogates = false;
  readonly #payloads = new Map<number, EventPayload>();

  addTaken({ event, admission }: TakenEvent): void {
    this.events.push(event);
    this.admissions.push(admission);
  }

  /** Adds the event of a batch of one. */
  addParsed(one: EventBatch): void {
    const index = this.events.length;
    const fault = one.faults.get(0);
    if (fault !== undefined) this.faults.set(index, fault);
    this.#payloads.set(index, one.payloadOf(0));
    this.suspectSurrogates ||= one.suspectSurrogates;
    this.events.push(one.events[0]);
    this.admissions.push(undefined);
  }

  payloadOf(index: number): EventPayload {
    const payload = this.#payloads.get(index);
    if (payload === undefined) throw new Error("the payload of an event that is admitted is not kept");
    return payload;
  }
}

keepShape(new GrowingBatch());

function endOfLine(bytes: Uint8Array, at: number, end: number): number {
  const newline = bytes.indexOf(NEWLINE, at);
  return newline < 0 ? end : newline;
}
