/** What stands in front of an event's bytes: the rest of its envelope (`schemas/codecs.ts`), index first, then the residue. */
import { AvroOutput } from "../../schemas/avro-output.ts";

/** What a valid event has beyond its typed columns, as texts (`schemas/event-residue.ts`). */
export interface Residue {
  readonly extra: string | null;
  readonly lexical: string | null;
}

/** The residue of an event that has none. */
export function writeNoResidue(output: AvroOutput): void {
  output.writeBranch(0);
  output.writeBranch(0);
}

/** A residue as it stands in an envelope. */
export function encodeResidue({ extra, lexical }: Residue): Uint8Array {
  const output = new AvroOutput(256);
  for (const text of [extra, lexical]) {
    output.writeBranch(text === null ? 0 : 1);
    if (text !== null) output.writeString(text);
  }
  return output.slice(0, output.at);
}
