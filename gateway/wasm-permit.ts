/** A permit for parquet-wasm for a request, which cannot come again later as an alarm or a message does: it waits a little. */
import { waitForWasm } from "../lakehouse/engine/parquet/wait-for-wasm.ts";
import { tryAcquireWasm, type WasmPermit } from "../lakehouse/engine/parquet/wasm.ts";
import { LakeBusyError } from "../lakehouse/lookups/trace/search-bronze.ts";

/** Flushes hold it for less, builds may hold it for longer. */
const WAIT_MS = 3_000;
/** A request whose caller went away may be ended in the middle: what it held is free again after this. No read of ours takes so long. */
const LONGEST_MS = 60_000;

/** `sleep` resolves after so many milliseconds. Throws `LakeBusyError`. */
export async function requestPermit(
  sleep?: (ms: number) => Promise<unknown>,
  tryAcquire: () => WasmPermit | undefined = () => tryAcquireWasm({ longestMs: LONGEST_MS }),
): Promise<WasmPermit> {
  const permit = await waitForWasm(WAIT_MS, sleep, tryAcquire);
  if (permit !== undefined) return permit;
  throw new LakeBusyError(`other work of this isolate reads or writes Parquet for more than ${WAIT_MS} ms`);
}
