import { initSync } from "parquet-wasm/esm";

let installed = false;
let held: Permit | undefined;

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

/** A permit was used after it had been given back, or after its time was up and another operation had the isolate's. */
export class WasmPermitGoneError extends Error {
  override readonly name = "WasmPermitGoneError";

  constructor() {
    super("the permit for Parquet is gone: it was given back, or held for too long while others waited");
  }
}

/**
 * The right to use parquet-wasm. What needs it takes it as an argument, so that a caller without one does not compile, and asks
 * `check` first. It is given back by disposing it (`using`).
 */
class Permit implements Disposable {
  readonly owner: string | undefined;
  /** Milliseconds since the epoch. */
  readonly until: number;
  readonly #alone: boolean;
  readonly #pause: () => Promise<unknown>;

  constructor(owner: string | undefined, until: number, alone: boolean, pause: () => Promise<unknown> = nothing) {
    this.owner = owner;
    this.until = until;
    this.#alone = alone;
    this.#pause = pause;
  }

  /** To be awaited between two pieces of work of some hundred milliseconds: whoever shares the thread has its turn then. */
  async pause(): Promise<void> {
    await this.#pause();
  }

  /** Throws WasmPermitGoneError; and ParquetWasmNotInstalledError, since parquet-wasm would fail with "undefined is not an object". */
  check(): void {
    if (!this.#alone && held !== this) throw new WasmPermitGoneError();
    if (!installed) throw new ParquetWasmNotInstalledError();
  }

  [Symbol.dispose](): void {
    // Disposing twice, or late, must not free a permit that another operation has had since.
    if (held === this) held = undefined;
  }
}

export type WasmPermit = Permit;

async function nothing(): Promise<void> {}

/** For tools and tests in Node, whose process does one thing: a permit that nobody waits for. The Worker must not use it. */
export function permitOfProcess(): WasmPermit {
  return new Permit(undefined, Number.POSITIVE_INFINITY, true);
}

export interface WasmHold {
  /** A Durable Object's id: `releaseWasmOf` frees what it holds. */
  readonly owner?: string;
  /** After so many milliseconds the holder is taken for gone; as long as an invocation may live if not given. */
  readonly longestMs?: number;
  /** What `pause` of the permit awaits; nothing if not given. */
  readonly pause?: () => Promise<unknown>;
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
  pause,
  now = Date.now,
}: WasmHold = {}): WasmPermit | undefined {
  const time = now();
  if (held !== undefined && time < held.until) return undefined;
  held = new Permit(owner, time + longestMs, false, pause);
  return held;
}

/** Frees the permit if this owner has it: to be called by a Durable Object that begins, whose predecessor was ended with all it did. */
export function releaseWasmOf(owner: string): void {
  if (held?.owner === owner) held = undefined;
}
