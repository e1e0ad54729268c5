/**
 * Files that builds staged and never committed: candidates that a check held back, and what builders that failed or vanished left.
 * D1 says which runs ended so, and a run's files begin with its name, so that a run costs one list call a folder, once.
 */
import { abandonedRuns, buryRun } from "../../../sql/statements/abandoned-runs.ts";
import type { StagedPrefixes } from "../../tables/staged-places.ts";

export interface BuryDeps {
  readonly db: D1Database;
  readonly bucket: Pick<R2Bucket, "list">;
  /** By domain. */
  readonly places: ReadonlyMap<string, StagedPrefixes>;
}

const DAY_MS = 86_400_000;
/** A lost builder may go on staging for the quarter of an hour that a queue consumer has. */
const LOST_MS = DAY_MS;
/** A candidate can be looked at for a week, and for as long as its partition waits (`abandonedRuns`). */
const FAILED_MS = 7 * DAY_MS;
/** Each costs a list call or two. */
const BURIED_A_RUN = 50;

/** One run at `now` (milliseconds since the epoch): safe at any time and twice at once. Objects are deleted a day later. Throws what R2 and D1 throw. */
export async function buryAbandoned(
  { db, bucket, places }: BuryDeps,
  now: number,
): Promise<{ readonly runs: number; readonly files: number; readonly more?: "now" }> {
  const due = await abandonedRuns(db, {
    domains: [...places.keys()],
    lostBefore: new Date(now - LOST_MS).toISOString(),
    failedBefore: new Date(now - FAILED_MS).toISOString(),
    limit: BURIED_A_RUN,
  });
  let files = 0;
  for (const run of due) {
    const { run_id: runId, domain, partition_date: date } = run;
    const keys: string[] = [];
    for (const prefix of places.get(domain)?.(date, runId) ?? []) {
      let cursor: string | undefined;
      do {
        const page = await bucket.list({ prefix, ...(cursor === undefined ? {} : { cursor }) });
        keys.push(...page.objects.map(({ key }) => key));
        cursor = page.truncated ? page.cursor : undefined;
      } while (cursor !== undefined);
    }
    await db.batch(buryRun(db, run, keys));
    files += keys.length;
  }
  return { runs: due.length, files, ...(due.length === BURIED_A_RUN ? { more: "now" } : {}) };
}
