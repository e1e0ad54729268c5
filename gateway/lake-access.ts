/** Reading the lake inside a request: under the isolate's permit for work with Parquet, and never for long. */
import { tryAcquireWasm } from "../lakehouse/parquet/wasm.ts";
import { ProblemError } from "./problem.ts";

/** How long a request waits for the permit: a flush or a read takes well under a second, a build may take more. */
const PERMIT_WAIT_MS = 2_000;
const PERMIT_POLL_MS = 25;

/** Throws the problem LAKE_BUSY if others keep the permit, LAKE_UNAVAILABLE if catalog or bucket fail. Problems of `work` pass. */
export async function readLake<Result>(work: () => Promise<Result>): Promise<Result> {
  using permit = await parquetPermit();
  if (permit === undefined) {
    throw new ProblemError("LAKE_BUSY", "this isolate is working on other files of the lake: try again");
  }
  return await lakeAnswers(work);
}

/** Work with bucket or catalog that needs no permit. Throws the problem LAKE_UNAVAILABLE in place of their errors. */
export async function lakeAnswers<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof ProblemError) throw cause;
    throw new ProblemError("LAKE_UNAVAILABLE", "the lake does not answer: try again", {}, {}, { cause });
  }
}

async function parquetPermit(): Promise<Disposable | undefined> {
  const deadline = Date.now() + PERMIT_WAIT_MS;
  for (;;) {
    const permit = tryAcquireWasm();
    if (permit !== undefined || Date.now() > deadline) return permit;
    await new Promise((resolve) => setTimeout(resolve, PERMIT_POLL_MS));
  }
}
