/**
 * What the parts of the byte pass share. The byte pass is the fast pass again, from the bytes of an event's JSON straight
 * to Avro: it makes no text and no objects but of the values that somebody reads. It takes only events that are valid and
 * canonical, and gives up on any other: what is wrong with those, or uncommon, is for the pass over values to say.
 */
import type { AvroOutput } from "../../../schemas/avro-output.ts";
import { keepShape } from "../../../schemas/kept-shape.ts";

/** Not taken: the event is to be read otherwise, and what was written of it is to be forgotten. */
export const FAIL = -1;

/**
 * Reads the JSON value that begins at `at`, without whitespace before it; checks it and writes it as Avro. Returns the
 * position behind it, or `FAIL`. Only bytes that were looked at are passed over: what is taken is known to be JSON.
 */
export type ReadValue = (json: JsonInput, at: number, output: AvroOutput) => number;

/** The bytes that are compared or copied at once: an `Int32` of a `DataView`. */
export const WORD = 4;

/** The bytes that are read; four at a time where that is possible. */
export class JsonInput {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Where the last four bytes begin. */
  readonly lastWord: number;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.lastWord = bytes.byteLength - WORD;
  }
}

keepShape(new JsonInput(new Uint8Array(0)));

/** What reading a value leaves behind, beside its output; overwritten by the next value. */
export interface Leavings {
  /** The value, of a reader that was made to keep it. */
  kept: unknown;
  /** The event time, microseconds since the epoch. */
  eventMicros: number;
  /** Which fields of the event itself are null, as bits (`nulls-residue.ts`). */
  nulls: number;
}

/** Of the records that are kept, the names of the members that are; null: the value is not kept at all. */
export type Keep = ReadonlySet<string> | null;

const SPACE = 0x20;

/** The position of the next byte that is no whitespace (RFC 8259, section 2). */
export function afterSpace(bytes: Uint8Array, at: number): number {
  let next = at;
  for (;;) {
    const byte = bytes[next] ?? 0;
    if (byte > SPACE || (byte !== SPACE && byte !== 0x0a && byte !== 0x0d && byte !== 0x09)) return next;
    next++;
  }
}
