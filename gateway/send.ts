/** Messages to queues: all are sent, all settle before anything is answered. */
import type { PackedMessage } from "../schemas/pack.ts";
import type { MessageQueue } from "./deps.ts";
import { countSent } from "./in-flight.ts";
import { mapBounded } from "./map-bounded.ts";

export interface SendOutcome {
  /** Indexes of events whose message is not known to be durable. */
  readonly unsent: readonly number[];
  /** Positions of the messages that these are of. */
  readonly failed: readonly number[];
  /** How many messages are durable. */
  readonly sent: number;
}

/** Six connections may wait at once in a Worker (PLATFORM, Limits). */
const CONCURRENT_SENDS = 6;

/** Sends all messages. A failure costs exactly the events of its message; it is never thrown. */
export async function sendAll(
  messages: readonly PackedMessage[],
  queueOf: (topic: string) => MessageQueue,
): Promise<SendOutcome> {
  const outcomes = await mapBounded(messages, CONCURRENT_SENDS, async (message) => {
    await queueOf(message.topic).send(message.body);
    countSent(1);
  });
  const failed = [...messages.keys()].filter((position) => outcomes[position]?.status !== "fulfilled");
  const unsent = failed.flatMap((position) => messages[position]?.indexes ?? []);
  return { unsent, failed, sent: outcomes.filter((outcome) => outcome.status === "fulfilled").length };
}
