/** A permit for parquet-wasm for a request, which cannot come again later as an alarm or a message does: it waits a little. */
import { waitForWasm } from "../lakehouse/parquet/wait-for-wasm.ts";
import { LakeBusyError } from "../lakehouse/trace/search-bronze.ts";

/** Flushes hold it for less, builds may hold it for longer. */
const WAIT_MS = 3_000;

/** `sleep` resolves after so many milliseconds. Throws `LakeBusyError`. */
export async function requestPermit(
  sleep?: (ms: number) => Promise<unknown>,
  tryAcquire?: () => Disposable | undefined,
): Promise<Disposable> {
  const permit = await waitForWasm(WAIT_MS, sleep, tryAcquire);
  if (permit !== undefined) return permit;
  throw new LakeBusyError(`other work of this isolate reads or writes Parquet for more than ${WAIT_MS} ms`);
}
