/**
 * Rows of runs that ended long ago: an open partition has one for each of its builds, with what their checks found. The last of each
 * partition that succeeded, failed or was lost stay, for whoever looks at it.
 */
import * as z from "zod";
import { forgetRuns as dropRuns, type RunKey } from "../../../sql/statements/runs.ts";

const KEPT_MS = 30 * 86_400_000;
/** Rows looked at in one run. */
const ROWS_A_RUN = 2_000;

const runKey = z.object({ domain: z.string(), partition_date: z.string(), run_id: z.string() });

/** One run at `now` (milliseconds since the epoch) behind `cursor`: may be done twice at once. Throws what D1 throws. */
export async function forgetRuns(
  db: D1Database,
  now: number,
  cursor: string | null,
): Promise<{ readonly forgotten: number; readonly more?: "now"; readonly cursor?: string }> {
  const endedBefore = new Date(now - KEPT_MS).toISOString();
  const { forgotten, last } = await dropRuns(db, endedBefore, cursor === null ? null : keyOf(cursor), ROWS_A_RUN);
  return { forgotten, ...(last === null ? {} : { more: "now", cursor: JSON.stringify(last) }) };
}

/** Written by this file. One that another deploy wrote in another form begins anew. */
function keyOf(text: string): RunKey | null {
  return runKey.safeParse(JSON.parse(text)).data ?? null;
}
