/** A permit for parquet-wasm for a request, which cannot come again later as an alarm or a message does: it waits a little. */
import { tryAcquireWasm } from "../lakehouse/parquet/wasm.ts";
import { LakeBusyError } from "../lakehouse/trace/search-bronze.ts";

const WAIT_MS = 50;
/** Three seconds: flushes hold it for less, builds may hold it for longer. */
const TRIES = 60;

/** `wait` resolves after so many milliseconds. Throws `LakeBusyError`. */
export async function waitForWasm(
  wait: (ms: number) => Promise<void>,
  tryAcquire: () => Disposable | undefined = tryAcquireWasm,
): Promise<Disposable> {
  for (let tries = 0; tries < TRIES; tries++) {
    const permit = tryAcquire();
    if (permit !== undefined) return permit;
    await wait(WAIT_MS);
  }
  throw new LakeBusyError(`other work of this isolate reads or writes Parquet for more than ${TRIES * WAIT_MS} ms`);
}
