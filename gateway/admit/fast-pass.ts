/** What the parts of admission's fast pass share: the flags that it gives, and what it is given and leaves behind. */
import type { AvroOutput } from "../../schemas/avro-output.ts";
import type { Masker } from "../masking/masker.ts";

// Flags are bits.

/** Valid and canonical: what was written is all that there is to keep. */
export const CLEAN = 0;
/** Valid, with a value whose typed column would give another form back. */
export const LEXICAL = 1;
/** Has a field that the schema does not know. */
export const UNKNOWN_FIELDS = 2;
/** Not valid: nothing else is known. */
export const INVALID = 4;
/** Valid, with a number that `JSON.parse` may have altered (`isExtreme`). */
export const EXTREME = 8;

/** What the pass over an event is given and leaves behind, beside its output; overwritten by the next event. */
export interface Scratch {
  /** Left behind: the event time, microseconds since the epoch. */
  eventMicros: number;
  /** Left behind: where the event begins in the output, behind its residue. */
  eventStart: number;
  /** Left behind: where the field `keyField` begins in the output; -1 if the event has none. */
  keyStart: number;
  /** Given: what masks masked fields on their way into the output; null only for events without one. */
  masker: Masker | null;
}

/** Writes a value that is present and not null. Returns its flags; with INVALID, the output holds a part of it. */
export type WriteChecked = (value: unknown, output: AvroOutput) => number;
