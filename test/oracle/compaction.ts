/** Compaction of a lake in memory, as the cron and the builds queue do it. */

import { type CompactOutcome, compact } from "../../lakehouse/upkeep/compaction/compact.ts";
import { COMPACTION_POLICY, type CompactionPolicy } from "../../lakehouse/upkeep/compaction/plan.ts";
import { planCompaction } from "../../lakehouse/upkeep/compaction/schedule.ts";
import { deleteTombstones } from "../../lakehouse/upkeep/retention/delete-due.ts";
import type { Lake } from "./lake.ts";
import { permit } from "./permit.ts";

/** Two files are enough. */
export const EAGER: CompactionPolicy = { ...COMPACTION_POLICY, minFiles: 2 };

/** One tick; gives the files whose messages were sent. */
export async function planOf(lake: Lake, policy = EAGER): Promise<string[]> {
  const queued: string[] = [];
  await planCompaction(
    {
      db: lake.d1.binding,
      builds: { sendBatch: async (sent) => void queued.push(...sent.map(({ body }) => body.file)) },
      policy,
      now: () => lake.now,
      log: () => {},
    },
    null,
  );
  return queued;
}

export function compactOne(lake: Lake, file: string): Promise<CompactOutcome> {
  return compact({ db: lake.d1.binding, bucket: lake.bucket, permit, now: () => lake.now }, file);
}

/** Compacts all that a tick finds. */
export async function compactAll(lake: Lake, policy = EAGER): Promise<CompactOutcome[]> {
  const outcomes: CompactOutcome[] = [];
  for (const file of await planOf(lake, policy)) outcomes.push(await compactOne(lake, file));
  return outcomes;
}

export function sweep(lake: Lake): Promise<{ readonly deleted: number }> {
  return deleteTombstones({ db: lake.d1.binding, bucket: lake.bucket, log: () => {} });
}
