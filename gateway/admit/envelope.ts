/** The envelope around an event's bytes (`schemas/codecs.ts`), as Avro, field by field as `envelopeSchema` has them. */
import { AvroOutput } from "../../schemas/avro-output.ts";

/** What a valid event has beyond its typed columns, as texts (`schemas/event-residue.ts`). */
export interface Residue {
  readonly extra: string | null;
  readonly lexical: string | null;
}

/** Avro's null, twice: nearly all events have no residue. */
const NO_RESIDUE_BYTES = 2;

/** Writes what comes before an event that has no residue. Returns where the residue would stand. */
export function beginEnvelope(index: number, output: AvroOutput): number {
  output.writeLong(index);
  const at = output.at;
  output.writeLong(0);
  output.writeLong(0);
  return at;
}

/** Puts a residue in front of the event that has just been written, at the place that `beginEnvelope` returned. */
export function insertResidue(residue: Uint8Array, at: number, output: AvroOutput): void {
  output.replace(at, at + NO_RESIDUE_BYTES, residue);
}

/** A residue as it stands in an envelope. */
export function encodeResidue({ extra, lexical }: Residue): Uint8Array {
  const output = new AvroOutput(256);
  for (const text of [extra, lexical]) {
    output.writeLong(text === null ? 0 : 1);
    if (text !== null) output.writeString(text);
  }
  return output.slice(0, output.at);
}
