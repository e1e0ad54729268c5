/** The cron's part of compaction: finds what there is to compact and sends a message for each piece of work. */
import * as z from "zod";
import {
  type FileGroup,
  insertCompaction,
  pendingCompactions,
  plannedBefore,
  requeueCompaction,
  type SmallFile,
  smallFiles,
} from "../../../sql/statements/compactions.ts";
import { readCursor } from "../../../sql/statements/duty-backlogs.ts";
import { type CompactionPolicy, folderOf, planCompactions } from "./plan.ts";

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
/** How far back files are looked for: what is older are hours of too few files, or has waited behind `MAX_WAITING` for days. */
const REACH_HOURS = 72;
/** Read in one run. */
const FILES_A_RUN = 5_000;
const COMPACTIONS_A_RUN = 100;
/** Compactions that wait for their first tries at once: how fast they go is the builds queue's to say. */
const MAX_WAITING = 500;
/** A message that has not ended its compaction by then was lost, or failed. */
export const REQUEUE_MS = 1_800_000;
/** Tries in a row; an operator is told of what failed so often. */
export const MAX_ATTEMPTS = 5;
/** From then on: a deploy may have mended it, or retention taken its inputs. */
const RARELY_MS = 24 * HOUR_MS;

/** `later`: those that are planned must be done first. `cursor`: files before it are too few or too large to be planned. */
export interface CompactionSchedule {
  readonly queued: number;
  readonly more?: "now" | "later";
  readonly cursor?: string;
}

/** One run, safe at any time and twice at once: a compaction is named by its inputs. Throws what D1 and the queue throw. */
export async function planCompaction(deps: CompactionScheduleDeps, cursor: string | null): Promise<CompactionSchedule> {
  const now = deps.now();
  const closed = Math.floor((now - GRACE_MS) / HOUR_MS) * HOUR_MS;
  const pending = await pendingCompactions(deps.db);
  const lost = pending
    .filter(({ queuedAt, attempts }) => queuedAt + (attempts < MAX_ATTEMPTS ? REQUEUE_MS : RARELY_MS) <= now)
    .slice(0, COMPACTIONS_A_RUN);
  const waiting = pending.filter(({ attempts }) => attempts < MAX_ATTEMPTS).length;
  const files = await smallFiles(deps.db, {
    since: new Date(closed - REACH_HOURS * HOUR_MS).toISOString(),
    before: new Date(closed).toISOString(),
    maxBytes: deps.policy.smallBytes,
    minFiles: deps.policy.minFiles,
    after: cursor === null ? null : readCursor(cursor, fileGroup),
    limit: FILES_A_RUN,
  });
  const planned = planCompactions(files, deps.policy);
  const known = await plannedBefore(
    deps.db,
    planned.map(({ file }) => file),
  );
  const all = planned.filter(({ file }) => !known.has(file));
  const room = Math.min(COMPACTIONS_A_RUN - lost.length, MAX_WAITING - waiting);
  const plans = all.slice(0, Math.max(0, room));
  const more = restOf(files, all.length - plans.length, plans.length, cursor);
  const queued = [...plans, ...lost].map(({ file }) => file);
  if (queued.length === 0) return { queued: 0, ...more };
  await deps.db.batch([
    ...plans.map((plan) => insertCompaction(deps.db, plan, now)),
    ...lost.map(({ file }) => requeueCompaction(deps.db, file, now)),
  ]);
  // Sent after it stands in D1: a message that overtook it would find nothing to do. One that is lost is sent again.
  await deps.builds.sendBatch(queued.map((file) => ({ body: { kind: "compaction", file } })));
  deps.log({ event: "plan_compaction", planned: plans.length, requeued: lost.length });
  return { queued: queued.length, ...more };
}

const fileGroup: z.ZodType<FileGroup> = z.object({
  hour: z.string(),
  folder: z.string(),
  shard: z.int(),
  shardOf: z.int(),
  incarnation: z.string(),
});

/** What is left when so many compactions of these files were planned and so many were not. */
function restOf(
  files: readonly SmallFile[],
  unplanned: number,
  planned: number,
  cursor: string | null,
): Pick<CompactionSchedule, "more" | "cursor"> {
  const more = planned > 0 || unplanned === 0 ? "now" : "later";
  if (unplanned > 0) return { more, ...(cursor === null ? {} : { cursor }) };
  const last = files.at(-1);
  if (files.length < FILES_A_RUN || last === undefined) return {};
  const { file, shard, shard_of: shardOf, incarnation, registered_at } = last;
  const group: FileGroup = { hour: registered_at.slice(0, 13), folder: folderOf(file), shard, shardOf, incarnation };
  return { more, cursor: JSON.stringify(group) };
}
