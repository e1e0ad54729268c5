/** What became of one message: the four ways a batch's message can end, and how each is told to the queue. */

export type Outcome =
  /** Durable downstream. */
  | { readonly kind: "stored" }
  /** Kept intact in R2, out of the way, with its reason. */
  | { readonly kind: "parked"; readonly reason: string }
  /** A fault of the system: the queue delivers it again. */
  | { readonly kind: "retry"; readonly reason: string };

const FIRST_DELAY_SECONDS = 10;
const LAST_DELAY_SECONDS = 3_600;

/** Seconds before delivery number `attempts + 1`: 10 s doubling to an hour (PROTOCOLS 2). */
export function redeliveryDelay(attempts: number): number {
  return Math.min(LAST_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2 ** Math.min(attempts - 1, 16));
}

/** Acknowledges or retries a message as its outcome says. */
export function settle(message: Message, outcome: Outcome): void {
  if (outcome.kind === "retry") message.retry({ delaySeconds: redeliveryDelay(message.attempts) });
  else message.ack();
}
