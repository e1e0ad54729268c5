import { initSync } from "parquet-wasm/esm";

let installed = false;
let held: { readonly owner: string | undefined; readonly until: number } | undefined;

/** No invocation of a Worker lives longer: who took the permit before that is gone. */
const LONGEST_HOLD_MS = 15 * 60_000;

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

export interface WasmHold {
  /** A Durable Object's id: `releaseWasmOf` frees what it holds. */
  readonly owner?: string;
  /** After so many milliseconds the holder is taken for gone; as long as an invocation may live if not given. */
  readonly longestMs?: number;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

/**
 * The isolate's one permit for work with Parquet, or undefined when another operation holds it: the caller then backs off and tries
 * again later (re-arms its alarm, retries its message). It bounds memory, not concurrency: two objects of a class can share an
 * isolate's 128 MB, and two builds at once would not fit. Dispose it (`using`) when the operation, awaits included, is over.
 * Where the runtime ends an operation in the middle (an object is reset, a caller goes away) nothing disposes: such a permit is
 * free when its time is up, or its owner is made anew.
 */
export function tryAcquireWasm({
  owner,
  longestMs = LONGEST_HOLD_MS,
  now = Date.now,
}: WasmHold = {}): Disposable | undefined {
  const time = now();
  if (held !== undefined && time < held.until) return undefined;
  const mine = { owner, until: time + longestMs };
  held = mine;
  return {
    [Symbol.dispose]() {
      // Disposing twice, or late, must not free a permit that somebody else has taken in between.
      if (held === mine) held = undefined;
    },
  };
}

/** Frees the permit if this owner has it: to be called by a Durable Object that begins, whose predecessor was ended with all it did. */
export function releaseWasmOf(owner: string): void {
  if (held?.owner === owner) held = undefined;
}
