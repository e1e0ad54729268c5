/** What became of one message: the ways a batch's message can end, and how each is told to the queue. */
import { waitAfter } from "../schemas/backoff.ts";
import { type Fault, type SystemFault, systemFault } from "./fault.ts";

export type Outcome =
  /** Durable downstream. */
  | { readonly kind: "stored" }
  /** Kept intact in R2, out of the way, with its reason. */
  | { readonly kind: "parked"; readonly fault: Fault }
  /** The queue delivers it again: only a fault of the system may pass by itself. */
  | { readonly kind: "retry"; readonly fault: SystemFault }
  /** Its buffer is far behind and took nothing: the queue keeps it until there is room. */
  | { readonly kind: "postponed"; readonly fault: SystemFault };

/** A retry because a part of the platform does not answer. */
export function unavailable(detail: string): Outcome {
  return { kind: "retry", fault: systemFault("unavailable", detail) };
}

const REDELIVERY_SECONDS = { first: 10, longest: 3_600 };

/**
 * Seconds before delivery number `attempts + 1`: 10 s doubling to an hour (PROTOCOLS 2). A hundred deliveries take nearly as long
 * as the queue keeps a message, so that back-pressure parks nothing which could still have been stored.
 */
export function redeliveryDelay(attempts: number): number {
  return waitAfter(REDELIVERY_SECONDS, attempts - 1);
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
