/** Who sends, and what they know: nobody else's word counts. */
import { setTimeout as delay } from "node:timers/promises";
import { LOCAL_API_KEY } from "../local-platform/local-key.ts";
import { answerOf } from "./answers.ts";

export interface SendersLog {
  /** Ids of all events that were ever sent, and how often each: a second time it is a copy, which silver leaves out. */
  readonly sent: Map<string, number>;
  /** Of those, the ids of batches that were answered 202, accepted as a whole. */
  readonly accepted: Set<string>;
  /** Answers by status and problem code. */
  readonly statuses: Map<string, number>;
}

export const EVENTS_PER_REQUEST = 50;
const REPEATED = 20;

export interface SendOptions {
  /** Milliseconds from one request to the next, at the least. */
  readonly everyMs: number;
  /** Called in the moment in which a 202 has arrived. */
  readonly onAccepted?: () => void;
  /** Ends the sending between two requests; without it only the platform's end does. */
  readonly isOver?: () => boolean;
}

/** Sends orders until the platform is gone. Throws on an answer that faults do not explain: the events are valid. */
export async function sendUntilGone(url: string, name: string, log: SendersLog, options: SendOptions): Promise<void> {
  const { everyMs, onAccepted = () => {}, isOver = () => false } = options;
  for (let batch = 0; !isOver(); batch++) {
    const next = performance.now() + everyMs;
    // Each twentieth repeats the one before: copies come in the same flush, or in a later one.
    const number = batch % REPEATED === REPEATED - 1 ? batch - 1 : batch;
    const ids = Array.from({ length: EVENTS_PER_REQUEST }, (_, i) => `${name}-${number}-${i}`);
    for (const id of ids) log.sent.set(id, (log.sent.get(id) ?? 0) + 1);
    try {
      const response = await fetch(`${url}/v1/topics/orders/events`, {
        method: "POST",
        headers: { authorization: `Bearer ${LOCAL_API_KEY}`, "content-type": "application/json" },
        body: JSON.stringify(ids.map((id, i) => order(id, i))),
      });
      if (response.status === 202) {
        for (const id of ids) log.accepted.add(id);
        onAccepted();
      }
      const answer = answerOf(response.status, await response.text());
      log.statuses.set(answer.name, (log.statuses.get(answer.name) ?? 0) + 1);
      if (response.status !== 202 && !answer.isRefusal) throw new Error(`a sender got ${answer.text}`);
    } catch (error) {
      if (error instanceof TypeError) return; // The connection broke: killed.
      throw error;
    }
    await delay(Math.max(0, next - performance.now()));
  }
}

/** The same for a copy: which of the two silver keeps is then not to be seen. */
const ORDERED_AT = new Date(Date.now() - 60_000).toISOString();

/** A valid order, the n-th of its batch. */
function order(id: string, n: number): Record<string, unknown> {
  return {
    event_id: id,
    order_id: "ord_000001",
    customer_id: "cus_1",
    event_timestamp: ORDERED_AT,
    status: "placed",
    currency: ["EUR", "USD", "GBP"][n % 3],
    amount: 20.5,
    channel: "web",
    items: [{ sku: "pizza", name: "Pizza Margherita", quantity: 2, unit_price: 10.25 }],
  };
}
