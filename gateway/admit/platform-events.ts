/** Admission of the events that the Worker makes itself: by the topic's contract, as any producer's. */
import type { AvroOutput } from "../../schemas/avro-output.ts";
import type { AdmittedEvent } from "./admitter.ts";
import { admitterOf } from "./topics.ts";

/**
 * Appends an event of the current schema to `output`; `received` is microseconds since the epoch. Throws an Error that names
 * what the contract refuses: then the platform, not a producer, made it wrong.
 */
export function admitPlatformEvent(
  topic: string,
  event: unknown,
  index: number,
  received: number,
  output: AvroOutput,
): AdmittedEvent {
  const admitter = admitterOf(topic);
  if (admitter === undefined) throw new Error(`the topic ${topic} has no contract`);
  const context = { received, suspectSurrogates: true, output, masker: null };
  const admission = admitter.admit(event, index, null, context);
  if (admission.accepted) return admission;
  const errors = admission.errors.map(({ error_type, pointer, detail }) => `${error_type} at "${pointer}": ${detail}`);
  throw new Error(`${topic} refuses an event of the platform's own: ${errors.join("; ")}`);
}
