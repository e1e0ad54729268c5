/** Who asks the gateway for what D1 and the lake know, while they do not answer. */
import { setTimeout as delay } from "node:timers/promises";
import { LOCAL_API_KEY } from "../local-platform/local-key.ts";
import { answerOf } from "./answers.ts";

const ADDRESSES = [
  "/v1/topics/orders/lag",
  "/v1/ledger?topic=orders",
  "/v1/tables",
  "/v1/keys",
  "/v1/activity",
  "/v1/dead-letters",
  "/v1/parked",
  "/v1/events/c-0-0-0-0?topic=orders",
  "/v1/topics/orders/events",
  "/metrics",
];
const EVERY_MS = 100;

/**
 * Reads until the platform is gone or `isOver`; `onAnswer` hears of each answer by its name. Throws on one that is neither right nor
 * a 503 which says what is not there.
 */
export async function readUntilGone(
  url: string,
  onAnswer: (name: string) => void,
  isOver: () => boolean = () => false,
): Promise<void> {
  for (let n = 0; !isOver(); n++) {
    const address = ADDRESSES[n % ADDRESSES.length] ?? "";
    try {
      const response = await fetch(`${url}${address}`, { headers: { authorization: `Bearer ${LOCAL_API_KEY}` } });
      const answer = answerOf(response.status, await response.text());
      onAnswer(answer.name);
      // An event that was not sent yet, or is on its way, is not found.
      if (!response.ok && response.status !== 404 && !answer.isRefusal) {
        throw new Error(`a reader of ${address} got ${answer.text}`);
      }
    } catch (error) {
      if (error instanceof TypeError) return; // The connection broke: killed.
      throw error;
    }
    await delay(EVERY_MS);
  }
}
