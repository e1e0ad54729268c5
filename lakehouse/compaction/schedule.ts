/** The cron's part of compaction: finds what there is to compact and sends a message for each piece of work. */
import {
  insertCompaction,
  pendingCompactions,
  requeueCompaction,
  smallFiles,
} from "../../sql/statements/compactions.ts";
import { type CompactionPolicy, planCompactions } from "./plan.ts";

/** A message of the builds queue: one compacted file. */
export interface CompactionRequest {
  readonly kind: "compaction";
  readonly file: string;
}

export interface CompactionScheduleDeps {
  readonly db: D1Database;
  readonly builds: { sendBatch(messages: { body: CompactionRequest }[]): Promise<unknown> };
  readonly policy: CompactionPolicy;
  /** Milliseconds since the epoch. */
  now(): number;
  log(event: Readonly<Record<string, unknown>>): void;
}

const HOUR_MS = 3_600_000;
/** An hour is closed this long after its end: buffers' clocks may be a little behind. */
const GRACE_MS = 300_000;
/** Files older than this were looked at often enough: what is left of them are too few to compact. */
const REACH_HOURS = 24;
/** Read in one tick; what is behind them comes up when these are compacted. */
const FILES_A_TICK = 5_000;
const COMPACTIONS_A_TICK = 20;
/** A message that has not ended its compaction by then was lost, or failed. */
export const REQUEUE_MS = 1_800_000;
/** Tries in a row; an operator is told of what failed so often. */
export const MAX_ATTEMPTS = 5;
/** From then on: a deploy may have mended it, or retention taken its inputs. */
const RARELY_MS = 24 * HOUR_MS;

/** One tick, safe at any time and twice at once: a compaction is named by its inputs. Throws what D1 and the queue throw. */
export async function planCompaction(deps: CompactionScheduleDeps): Promise<{ readonly queued: number }> {
  const now = deps.now();
  const closed = Math.floor((now - GRACE_MS) / HOUR_MS) * HOUR_MS;
  const pending = await pendingCompactions(deps.db);
  const files = await smallFiles(deps.db, {
    since: new Date(closed - REACH_HOURS * HOUR_MS).toISOString(),
    before: new Date(closed).toISOString(),
    maxBytes: deps.policy.smallBytes,
    minFiles: deps.policy.minFiles,
    limit: FILES_A_TICK,
  });
  const taken = new Set(pending.flatMap(({ inputs }) => inputs));
  const plans = planCompactions(files, taken, deps.policy).slice(0, COMPACTIONS_A_TICK);
  const lost = pending
    .filter(({ queuedAt, attempts }) => queuedAt + (attempts < MAX_ATTEMPTS ? REQUEUE_MS : RARELY_MS) <= now)
    .slice(0, COMPACTIONS_A_TICK);
  const queued = [...plans, ...lost].map(({ file }) => file);
  if (queued.length === 0) return { queued: 0 };
  await deps.db.batch([
    ...plans.map((plan) => insertCompaction(deps.db, plan, now)),
    ...lost.map(({ file }) => requeueCompaction(deps.db, file, now)),
  ]);
  // Sent after it stands in D1: a message that overtook it would find nothing to do. One that is lost is sent again.
  await deps.builds.sendBatch(queued.map((file) => ({ body: { kind: "compaction", file } })));
  deps.log({ event: "plan_compaction", planned: plans.length, requeued: lost.length });
  return { queued: queued.length };
}
