/**
 * Rows of runs that ended long ago: an open partition has one for each of its builds, with what their checks found. The last of each
 * partition that succeeded, failed or was lost stay, for whoever looks at it.
 */
import * as z from "zod";
import { readCursor } from "../../../sql/statements/duty-backlogs.ts";
import { forgetRuns as dropRuns, type RunKey } from "../../../sql/statements/runs.ts";

const KEPT_MS = 30 * 86_400_000;
/** Rows looked at in one run. */
const ROWS_A_RUN = 2_000;

const runKey: z.ZodType<RunKey> = z.object({ domain: z.string(), partition_date: z.string(), run_id: z.string() });

/** One run at `now` (milliseconds since the epoch) behind `cursor`: may be done twice at once. Throws what D1 throws. */
export async function forgetRuns(
  db: D1Database,
  now: number,
  cursor: string | null,
): Promise<{ readonly forgotten: number; readonly more?: "now"; readonly cursor?: string }> {
  const endedBefore = new Date(now - KEPT_MS).toISOString();
  const after = cursor === null ? null : readCursor(cursor, runKey);
  const { forgotten, last } = await dropRuns(db, endedBefore, after, ROWS_A_RUN);
  return { forgotten, ...(last === null ? {} : { more: "now", cursor: JSON.stringify(last) }) };
}
