/** Waiting for the isolate's parquet-wasm. */
import { tryAcquireWasm } from "./wasm.ts";

const POLL_MS = 50;

/** The permit, or undefined when other operations of the isolate keep it for `waitMs` milliseconds. */
export async function waitForWasm(
  waitMs: number,
  sleep: (ms: number) => Promise<unknown> = (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  tryAcquire: () => Disposable | undefined = tryAcquireWasm,
): Promise<Disposable | undefined> {
  for (let waited = 0; ; waited += POLL_MS) {
    const permit = tryAcquire();
    if (permit !== undefined || waited >= waitMs) return permit;
    await sleep(POLL_MS);
  }
}
