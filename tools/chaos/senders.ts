/** Who sends, and what they know: nobody else's word counts. */
import { setTimeout as delay } from "node:timers/promises";
import { LOCAL_API_KEY } from "../local-platform/local-key.ts";

export interface SendersLog {
  /** Ids of all events that were ever sent; each is sent once. */
  readonly sent: Set<string>;
  /** Of those, the ids of batches that were answered 202, accepted as a whole. */
  readonly accepted: Set<string>;
  /** Answers by status. */
  readonly statuses: Map<number, number>;
}

export const EVENTS_PER_REQUEST = 50;

/**
 * Sends orders until the platform is gone, no faster than one request in `everyMs`; `onAccepted` is called in the moment in which a
 * 202 has arrived. Throws on an answer that faults do not explain: the events are valid.
 */
export async function sendUntilGone(
  url: string,
  name: string,
  everyMs: number,
  log: SendersLog,
  onAccepted: () => void,
): Promise<void> {
  for (let batch = 0; ; batch++) {
    const next = performance.now() + everyMs;
    const ids = Array.from({ length: EVENTS_PER_REQUEST }, (_, i) => `${name}-${batch}-${i}`);
    for (const id of ids) log.sent.add(id);
    try {
      const response = await fetch(`${url}/v1/topics/orders/events`, {
        method: "POST",
        headers: { authorization: `Bearer ${LOCAL_API_KEY}`, "content-type": "application/json" },
        body: JSON.stringify(ids.map((id) => order(id, Date.now()))),
      });
      log.statuses.set(response.status, (log.statuses.get(response.status) ?? 0) + 1);
      if (response.status === 202) {
        for (const id of ids) log.accepted.add(id);
        onAccepted();
      } else if (response.status < 500) {
        throw new Error(`a sender got ${response.status}: ${(await response.text()).slice(0, 500)}`);
      }
      await response.arrayBuffer();
    } catch (error) {
      if (error instanceof TypeError) return; // The connection broke: killed.
      throw error;
    }
    await delay(Math.max(0, next - performance.now()));
  }
}

/** A valid order of a minute before `now`, milliseconds since the epoch. */
function order(id: string, now: number): Record<string, unknown> {
  return {
    event_id: id,
    order_id: "ord_000001",
    customer_id: "cus_1",
    event_timestamp: new Date(now - 60_000).toISOString(),
    status: "placed",
    currency: "EUR",
    amount: 20.5,
    channel: "web",
    items: [{ sku: "pizza", name: "Pizza Margherita", quantity: 2, unit_price: 10.25 }],
  };
}
