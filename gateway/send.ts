/** Messages to queues: all are sent, all settle before anything is answered. */
import type { NumberRange } from "../schemas/number-ranges.ts";
import type { MessageQueue } from "./deps.ts";
import { countSent } from "./in-flight.ts";
import { mapBounded } from "./map-bounded.ts";
import { noteUnsent } from "./unsent.ts";

/** A packed message and the indexes of the request's events that stand or fall with it. */
export interface OutgoingMessage {
  readonly topic: string;
  readonly body: Uint8Array;
  readonly indexes: readonly number[];
  /** Its number and those it tells of, for `unsent.ts`. */
  readonly numbers: readonly NumberRange[];
}

export interface SendOutcome {
  /** Indexes of events whose message is not known to be durable. */
  readonly unsent: readonly number[];
  /** How many messages are durable. */
  readonly sent: number;
}

/** Six connections may wait at once in a Worker (PLATFORM, Limits). */
const CONCURRENT_SENDS = 6;

/** Sends all messages. A failure costs exactly the events of its message; it is never thrown. */
export async function sendAll(
  messages: readonly OutgoingMessage[],
  queueOf: (topic: string) => MessageQueue,
): Promise<SendOutcome> {
  const outcomes = await mapBounded(messages, CONCURRENT_SENDS, async (message) => {
    await queueOf(message.topic).send(message.body);
    countSent(1);
  });
  const failed = messages.filter((_, position) => outcomes[position]?.status !== "fulfilled");
  for (const { topic, numbers } of failed) noteUnsent(topic, numbers);
  const unsent = failed.flatMap(({ indexes }) => indexes);
  return { unsent, sent: outcomes.filter((outcome) => outcome.status === "fulfilled").length };
}
