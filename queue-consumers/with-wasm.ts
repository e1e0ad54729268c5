/** What messages of the builds queue have in common: each needs the isolate's parquet-wasm, which one piece of work has at a time. */
import { waitForWasm } from "../lakehouse/engine/parquet/wait-for-wasm.ts";
import { tryAcquireWasm, type WasmPermit } from "../lakehouse/engine/parquet/wasm.ts";
import { waitAfter } from "../schemas/backoff.ts";

/** How long a message waits for it, in milliseconds, before it is given back to the queue. */
const WASM_WAIT_MS = 20_000;

/** How long the queue then keeps it, in seconds, by the deliveries that it has had: one that comes back at once takes the turn of others. */
export function busyDelay(attempts: number): number {
  return waitAfter({ first: 1, longest: 5 }, attempts - 1);
}

/** A log line in the making. */
export type WideEvent = Record<string, unknown>;

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Gives `work` the permit, and then logs `event` with the time that it took. The work settles the message. False: other work kept the
 * permit, and the message went back to the queue. Throws what `work` throws.
 */
export async function withWasm(
  message: Message,
  event: WideEvent,
  log: (event: Readonly<WideEvent>) => void,
  work: (permit: WasmPermit) => Promise<void>,
): Promise<boolean> {
  const started = Date.now();
  try {
    // Requests that the isolate has meanwhile get their turn between two row groups.
    using permit = await waitForWasm(WASM_WAIT_MS, sleep, () => tryAcquireWasm({ pause: () => sleep(0) }));
    if (permit === undefined) {
      event["outcome"] = "busy";
      message.retry({ delaySeconds: busyDelay(message.attempts) });
      return false;
    }
    await work(permit);
    return true;
  } finally {
    event["ms"] = Date.now() - started;
    log(event);
  }
}
