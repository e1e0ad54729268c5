/** Reading the lake inside a request: under the isolate's permit for work with Parquet, and never for long. */
import type { WasmPermit } from "../lakehouse/engine/parquet/wasm.ts";
import { TooManyObjectsError } from "../lakehouse/lookups/dead-letters/page.ts";
import { LakeBusyError } from "../lakehouse/lookups/trace/search-bronze.ts";
import { whatFailed } from "./catalog.ts";
import { ProblemError } from "./problem.ts";
import { requestPermit } from "./wasm-permit.ts";

/** Throws the problem LAKE_BUSY if others keep the permit, LAKE_UNAVAILABLE if catalog or bucket fail. Problems of `work` pass. */
export async function readLake<Result>(work: (permit: WasmPermit) => Promise<Result>): Promise<Result> {
  return await lakeAnswers(async () => {
    using permit = await requestPermit();
    return await work(permit);
  });
}

/** Work with bucket or catalog that needs no permit. Throws the problem LAKE_UNAVAILABLE in place of their errors. */
export async function lakeAnswers<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof ProblemError) throw cause;
    if (cause instanceof TooManyObjectsError || cause instanceof LakeBusyError) {
      throw new ProblemError("LAKE_BUSY", cause.message, {}, {}, { cause });
    }
    throw new ProblemError("LAKE_UNAVAILABLE", whatFailed(cause, "the lake"), {}, {}, { cause });
  }
}
