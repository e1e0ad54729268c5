/** One growing buffer for the envelopes of a request, so that no event allocates its own. */
import { AvroOutput } from "./avro-output.ts";

export function createEventBuffer(initialBytes: number): AvroOutput {
  return new AvroOutput(Math.max(1_024, initialBytes));
}
