/** What a message does while other work of its isolate holds parquet-wasm. */
import { waitAfter } from "../schemas/backoff.ts";

/** How long a message waits for it, in milliseconds, before it is given back to the queue. */
export const WASM_WAIT_MS = 20_000;

/** How long the queue then keeps it, in seconds, by the deliveries that it has had: one that comes back at once takes the turn of others. */
export function busyDelay(attempts: number): number {
  return waitAfter({ first: 1, longest: 5 }, attempts - 1);
}
