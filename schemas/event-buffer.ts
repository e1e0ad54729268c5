/** One growing buffer for the envelopes of a request, so that no event allocates its own. */
import { AvroOutput } from "./avro-output.ts";
import type { Envelope, SchemaCodec } from "./codecs.ts";

export interface EventBuffer {
  /** Where the next envelope will begin. */
  readonly length: number;
  /** Appends the envelope of an event that has passed the check; returns where it ends. Throws a TypeError for another. */
  append(codec: SchemaCodec, envelope: Envelope): number;
  /** Forgets everything from `length` on. */
  truncate(length: number): void;
  /** The bytes [start, end), not copied: valid until the next append. */
  slice(start: number, end: number): Uint8Array;
}

export function createEventBuffer(initialBytes: number): EventBuffer {
  const output = new AvroOutput(Math.max(1_024, initialBytes));
  return {
    get length() {
      return output.at;
    },
    // Field by field as `envelopeSchema` has them.
    append(codec, { index, extra, lexical, event }) {
      output.writeLong(index);
      writeOptionalText(extra, output);
      writeOptionalText(lexical, output);
      codec.write(event, output);
      return output.at;
    },
    truncate(to) {
      output.at = to;
    },
    slice(start, end) {
      return output.bytes.subarray(start, end);
    },
  };
}

function writeOptionalText(text: string | null, output: AvroOutput): void {
  if (text === null) {
    output.writeLong(0);
    return;
  }
  output.writeLong(1);
  output.writeString(text);
}
