import { initSync } from "parquet-wasm/esm";

let installed = false;
let held = false;

/** parquet-wasm was used before `installParquetWasm`: a fault in the order of start-up, not of the data. */
export class ParquetWasmNotInstalledError extends Error {
  override readonly name = "ParquetWasmNotInstalledError";

  constructor() {
    super("parquet-wasm is not installed: call installParquetWasm(module) when the Worker, tool or test starts");
  }
}

/**
 * Instantiates parquet-wasm, once per isolate; later calls do nothing (its memory cannot be made anew). The Worker imports the
 * `.wasm` file, which gives a compiled module; Node gives the file's bytes (`tools/build/parquet-wasm-node.ts`), which a Worker
 * would refuse to compile.
 */
export function installParquetWasm(module: WebAssembly.Module | Uint8Array): void {
  if (installed) return;
  initSync({ module });
  installed = true;
}

/** Throws ParquetWasmNotInstalledError: without this check parquet-wasm fails with "undefined is not an object". */
export function requireParquetWasm(): void {
  if (!installed) throw new ParquetWasmNotInstalledError();
}

/**
 * The isolate's one permit for work with Parquet, or undefined when another operation holds it: the caller then backs off and tries
 * again later (re-arms its alarm, retries its message). It bounds memory, not concurrency: two objects of a class can share an
 * isolate's 128 MB, and two builds at once would not fit. Dispose it (`using`) when the operation, awaits included, is over.
 */
export function tryAcquireWasm(): Disposable | undefined {
  if (held) return undefined;
  held = true;
  let mine = true;
  return {
    [Symbol.dispose]() {
      // Disposing twice must not free a permit that somebody else has taken in between.
      if (mine) held = false;
      mine = false;
    },
  };
}
