/** One growing buffer for the envelopes of a request: avsc writes into it, so that no event allocates its own. */
import type { Envelope, SchemaCodec } from "../../schemas/codecs.ts";

export interface EventBuffer {
  /** Where the next envelope will begin. */
  readonly length: number;
  /** Appends an envelope; returns where it ends. Throws avsc's error if the event is not of the codec's type. */
  append(codec: SchemaCodec, envelope: Envelope): number;
  /** Forgets everything from `length` on. */
  truncate(length: number): void;
  /** The bytes [start, end), not copied: valid until the next append. */
  slice(start: number, end: number): Uint8Array;
}

export function createEventBuffer(initialBytes: number): EventBuffer {
  let buffer = Buffer.alloc(Math.max(1_024, initialBytes));
  let length = 0;
  return {
    get length() {
      return length;
    },
    append(codec, envelope) {
      let end = codec.envelope.encode(envelope, buffer, length);
      while (end < 0) {
        // A negative result is the number of missing bytes.
        const grown = Buffer.alloc(Math.max(buffer.length * 2, buffer.length - end));
        buffer.copy(grown, 0, 0, length);
        buffer = grown;
        end = codec.envelope.encode(envelope, buffer, length);
      }
      length = end;
      return end;
    },
    truncate(to) {
      length = to;
    },
    slice(start, end) {
      return buffer.subarray(start, end);
    },
  };
}
