/** Waiting for the isolate's parquet-wasm. */
import { tryAcquireWasm, type WasmPermit } from "./wasm.ts";

const POLL_MS = 50;

/** The permit, or undefined when other operations of the isolate keep it for `waitMs` milliseconds. */
export async function waitForWasm(
  waitMs: number,
  sleep: (ms: number) => Promise<unknown> = (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  tryAcquire: () => WasmPermit | undefined = tryAcquireWasm,
): Promise<WasmPermit | undefined> {
  for (let waited = 0; ; waited += POLL_MS) {
    const permit = tryAcquire();
    if (permit !== undefined || waited >= waitMs) return permit;
    await sleep(POLL_MS);
  }
}
