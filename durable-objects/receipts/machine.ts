/**
 * What becomes of a request with an Idempotency-Key. Pure: the receipt and the time in; one step and the next alarm out.
 *
 *     (none) --begin--> begun --submit--> prepared --deliver--> done --24 h--> (none)
 *
 * `begun` fixes the request's id and time of reception, so that whoever judges the body again judges it alike. The commit
 * point is `submit`: verdict and messages are stored together, and from then on nothing but these messages is ever sent, in
 * as many tries as it takes.
 */
import { scatteredWaitAfter } from "../../schemas/backoff.ts";

export interface Receipt {
  readonly requestId: string;
  /** Microseconds since the epoch. */
  readonly received: number;
  readonly phase: "begun" | "prepared" | "done";
  /** Stands for what the request said, keyed where that may be personal: another body under the same key is refused. null until it is prepared. */
  readonly fingerprint: string | null;
  /** Deliveries that left something unsent, and the time (milliseconds) before which the alarm does not try again. */
  readonly attempts: number;
  readonly notBefore: number;
}

/** PROTOCOLS 1: kept 24 h. */
export const KEPT_MS = 24 * 3_600_000;
const RETRY_MS = { first: 10_000, longest: 3_600_000 };

/** What a request meets at its start: no receipt that holds, one whose request is not committed, or one whose request is. */
export function stepForBegin(receipt: Receipt | null, now: number): "start" | "judge" | "resume" {
  if (receipt === null || isExpired(receipt, now)) return "start";
  return receipt.phase === "begun" ? "judge" : "resume";
}

/** `lost`: the receipt that the request began with is gone. `refuse`: the key belongs to another body. */
export type SubmitStep = "lost" | "refuse" | "commit" | "deliver" | "repeat";

/** What a request meets whose body was read to its end. `requestId`: of the receipt it was judged for; null: it was not judged. */
export function stepForSubmit(
  receipt: Receipt | null,
  fingerprint: string,
  requestId: string | null,
  now: number,
): SubmitStep {
  if (receipt === null || isExpired(receipt, now)) return "lost";
  // Judged for a receipt that expired meanwhile: its messages bear another time of reception.
  if (receipt.phase === "begun") return receipt.requestId === requestId ? "commit" : "lost";
  if (receipt.fingerprint !== fingerprint) return "refuse";
  return receipt.phase === "prepared" ? "deliver" : "repeat";
}

/** What the alarm does. An expired receipt is forgotten even if a message is unsent: its request was never answered with success. */
export function stepForAlarm(receipt: Receipt | null, now: number): "sleep" | "deliver" | "forget" {
  if (receipt === null || isExpired(receipt, now)) return "forget";
  return receipt.phase === "prepared" && receipt.notBefore <= now ? "deliver" : "sleep";
}

/** When the alarm must ring: milliseconds since the epoch. */
export function alarmOf(receipt: Receipt): number {
  const expiry = expiryOf(receipt);
  return receipt.phase === "prepared" ? Math.min(receipt.notBefore, expiry) : expiry;
}

/** Milliseconds that the alarm waits after `attempts` failures. */
export function retryDelay(attempts: number, random: number): number {
  return scatteredWaitAfter(RETRY_MS, attempts, random);
}

function expiryOf(receipt: Receipt): number {
  return Math.floor(receipt.received / 1_000) + KEPT_MS;
}

function isExpired(receipt: Receipt, now: number): boolean {
  return expiryOf(receipt) <= now;
}
