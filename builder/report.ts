/** What a builder tells whoever started it: people see a bar, machines one event a build. */
import type { BUILD_PHASES, WorkOrder } from "../lakehouse/builds/native/wire.ts";

export type BuildPhase = (typeof BUILD_PHASES)[number];

/** The wide event of one build. Times are milliseconds; what was not reached is 0. */
export interface BuildEvent {
  readonly event: "native_build";
  readonly run: string;
  readonly table: string;
  readonly date: string;
  /**
   * `failed`: the platform was told why, or said why (a check held the rows back). `lost`: another builder has the lease, or nobody.
   * `released`: the builder was told to stop.
   */
  readonly outcome: "published" | "failed" | "lost" | "released";
  /** Why it did not end well. It quotes no values of rows. */
  readonly message: string | null;
  readonly rows_in: number;
  readonly bytes_in: number;
  /** Of the inputs' bytes, those that the cache did not have. */
  readonly bytes_fetched: number;
  readonly rows_out: number;
  readonly files_out: number;
  readonly bytes_out: number;
  readonly fetch_ms: number;
  readonly run_ms: number;
  readonly check_ms: number;
  readonly upload_ms: number;
  readonly total_ms: number;
  /** Of the process, since it began. */
  readonly peak_memory_bytes: number;
}

export interface BuilderReport {
  /** What a person should know: the platform does not answer, a cached file is damaged. */
  note(text: string): void;
  /** Nothing waits; asked again after so long. */
  idle(pollAfterMs: number): void;
  /** Where the build is: `done` from 0 to 1 of the phase, null when that is not known. */
  progress(order: Pick<WorkOrder, "table" | "date">, phase: BuildPhase, done: number | null): void;
  built(event: BuildEvent): void;
}
