/** What a fault is: one deliberate error in an otherwise valid event. */
import type { ErrorType } from "../../../contracts/verdict.ts";
import type { Random } from "../random.ts";

export interface FaultContext {
  readonly random: Random;
  /** When the gateway is expected to receive the run (milliseconds since the epoch): time windows count from there. */
  readonly receivedMs: number;
}

/** A way to break a valid event of type E. `corrupt` gives the broken event's JSON text, or text that is not an event at all. */
export interface Fault<E> {
  readonly name: string;
  readonly expected: ErrorType;
  /** True if no reader can find the event's id in the broken text. */
  readonly hidesId?: boolean;
  corrupt(event: E, context: FaultContext): string;
}

/** The JSON text of the event with these fields in place of its own; an undefined one is left out. */
export function withFields(event: object, fields: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ ...event, ...fields });
}

/** Half of a surrogate pair: text that no UTF-8 can carry. JSON.stringify writes it as the escape \ud83c. */
export const LONE_SURROGATE = "\ud83c";
