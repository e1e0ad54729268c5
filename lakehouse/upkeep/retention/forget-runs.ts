/**
 * Rows of runs that ended long ago: an open partition has one for each of its builds, with what their checks found. The last of each
 * partition that succeeded, failed or was lost stay, for whoever looks at it. Backfills that ended go with them, after longer.
 */
import * as z from "zod";
import { forgetBackfills } from "../../../sql/statements/backfills.ts";
import { readCursor } from "../../../sql/statements/duty-backlogs.ts";
import { forgetRuns as dropRuns, type EndedRun } from "../../../sql/statements/runs.ts";

const DAY_MS = 86_400_000;
const KEPT_MS = 30 * DAY_MS;
const BACKFILLS_KEPT_MS = 90 * DAY_MS;
/** Backfills in one run, each with some thousand partitions at most. */
const BACKFILLS_A_RUN = 5;
/** Rows looked at in one run. */
const ROWS_A_RUN = 2_000;

/** A cursor of a version before this one has no time, and is none: the run begins with the oldest. */
const endedRun: z.ZodType<EndedRun> = z.object({
  finished_at: z.string(),
  domain: z.string(),
  partition_date: z.string(),
  run_id: z.string(),
});

/** One run at `now` (milliseconds since the epoch) behind `cursor`: may be done twice at once. Throws what D1 throws. */
export async function forgetRuns(
  db: D1Database,
  now: number,
  cursor: string | null,
): Promise<{
  readonly forgotten: number;
  readonly backfills: number;
  readonly more?: "now";
  readonly cursor?: string;
}> {
  const endedBefore = new Date(now - KEPT_MS).toISOString();
  const after = cursor === null ? null : readCursor(cursor, endedRun);
  const { forgotten, last } = await dropRuns(db, endedBefore, after, ROWS_A_RUN);
  const backfills = await forgetBackfills(db, new Date(now - BACKFILLS_KEPT_MS).toISOString(), BACKFILLS_A_RUN);
  return { forgotten, backfills, ...(last === null ? {} : { more: "now", cursor: JSON.stringify(last) }) };
}
