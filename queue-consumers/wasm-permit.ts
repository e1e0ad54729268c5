/** Waiting for the isolate's parquet-wasm. */
import { tryAcquireWasm } from "../lakehouse/parquet/wasm.ts";

/** How long a message waits before it is given back to the queue. */
const WAIT_MS = 20_000;
const POLL_MS = 50;

/** The permit, or undefined when another operation of the isolate still has it after a while. */
export async function waitForWasm(): Promise<Disposable | undefined> {
  const deadline = Date.now() + WAIT_MS;
  for (;;) {
    const permit = tryAcquireWasm();
    if (permit !== undefined || Date.now() > deadline) return permit;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
