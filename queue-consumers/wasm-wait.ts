/** How long a message waits for the isolate's parquet-wasm, in milliseconds, before it is given back to the queue. */
export const WASM_WAIT_MS = 20_000;
