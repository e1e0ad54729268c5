/** What became of one message: the ways a batch's message can end, and how each is told to the queue. */

export type Outcome =
  /** Durable downstream. */
  | { readonly kind: "stored" }
  /** Kept intact in R2, out of the way, with its reason. */
  | { readonly kind: "parked"; readonly reason: string }
  /** A fault of the system: the queue delivers it again. */
  | { readonly kind: "retry"; readonly reason: string }
  /** Its buffer is far behind and took nothing: no fault, the queue keeps it until there is room. */
  | { readonly kind: "postponed"; readonly reason: string };

const FIRST_DELAY_SECONDS = 10;
const LAST_DELAY_SECONDS = 3_600;

/**
 * Seconds before delivery number `attempts + 1`: 10 s doubling to an hour (PROTOCOLS 2). A hundred deliveries take nearly as long
 * as the queue keeps a message, so that back-pressure parks nothing which could still have been stored.
 */
export function redeliveryDelay(attempts: number): number {
  return Math.min(LAST_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2 ** Math.min(attempts - 1, 16));
}

/** Whether the queue is done with a message. */
export function isAcknowledged(outcome: Outcome): boolean {
  return outcome.kind === "stored" || outcome.kind === "parked";
}

/** Acknowledges or retries a message as its outcome says. */
export function settle(message: Message, outcome: Outcome): void {
  if (isAcknowledged(outcome)) message.ack();
  else message.retry({ delaySeconds: redeliveryDelay(message.attempts) });
}
