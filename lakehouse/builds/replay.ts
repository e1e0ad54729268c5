/** Replay: what a topic's bronze says of a time, derived once more, table by table. The planner does the work; this asks for it. */
import type { Contract } from "../../contracts/contract.ts";
import { type ReplayPartition, replayPartitions, requestRebuild } from "../../sql/statements/replays.ts";
import { dependentsOf } from "../tables/catalog.ts";
import { silverTableName } from "../tables/silver-columns.ts";

export interface ReplayQuery {
  /** [from, to), milliseconds since the epoch. */
  readonly from: number;
  readonly to: number;
}

export interface ReplayPlan {
  /** To be built again, by date. */
  readonly partitions: readonly ReplayPartition[];
  /** Not to be: their bronze is retired (BRONZE_RETIRED). */
  readonly sealed: readonly ReplayPartition[];
  /** The topic's silver, and what is derived from it, each after what it reads. */
  readonly tables: readonly string[];
}

/** More partitions than one replay takes. */
export class TooManyPartitionsError extends Error {
  override readonly name = "TooManyPartitionsError";
}

/** Three years of dates. */
const MOST_PARTITIONS = 1_096;

/** What a replay would build. Throws TooManyPartitionsError and what D1 throws. */
export async function planReplay(db: D1Database, { topic }: Contract, { from, to }: ReplayQuery): Promise<ReplayPlan> {
  const range = {
    from: new Date(from).toISOString().slice(0, -1),
    to: new Date(to).toISOString().slice(0, -1),
    fromDate: new Date(from).toISOString().slice(0, 10),
    toDate: new Date(to - 1).toISOString().slice(0, 10),
  };
  const found = await replayPartitions(db, topic, range, MOST_PARTITIONS + 1);
  if (found.length > MOST_PARTITIONS) {
    throw new TooManyPartitionsError(`more than ${MOST_PARTITIONS} partitions: ask for a shorter time`);
  }
  return {
    partitions: found.filter(({ sealed }) => sealed === 0),
    sealed: found.filter(({ sealed }) => sealed !== 0),
    tables: downstream(silverTableName(topic)),
  };
}

/** Sets the plan's partitions to be built; what reads them follows by itself. May be done again. */
export async function requestReplay(db: D1Database, { topic }: Contract, plan: ReplayPlan): Promise<void> {
  const dates = plan.partitions.map(({ date }) => date);
  if (dates.length > 0) await requestRebuild(db, topic, dates).run();
}

/** A table and everything that is built from it. */
function downstream(table: string): string[] {
  const tables = [table];
  for (const each of tables) tables.push(...dependentsOf(each).filter((name) => !tables.includes(name)));
  return tables;
}
