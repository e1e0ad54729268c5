/**
 * Backfills: partitions of a time that somebody wants built again, or at last. This chooses them and moves backfills on; the planner,
 * the leases and the gates do the rest, as for every build.
 */
import {
  advance,
  type BackfillCandidate,
  backfillCandidates,
  openBackfills,
  type Reprocess,
} from "../../../sql/statements/backfills.ts";
import { type Table, tableByName, tables } from "../../tables/catalog.ts";
import { nativeDomains } from "../native/routing.ts";

export type BackfillLayer = "silver" | "gold";

export interface BackfillRequest {
  readonly table: Table;
  readonly layer: BackfillLayer;
  /** Dates in [from, to]. */
  readonly from: string;
  readonly to: string;
  readonly reprocess: Reprocess;
}

export interface BackfillPlan {
  /** To be built, the newest dates first. */
  readonly partitions: readonly BackfillCandidate[];
  /** Not to be: their bronze is retired (BRONZE_RETIRED). */
  readonly sealed: readonly BackfillCandidate[];
  /** Left as they are, since `reprocess` does not ask for them. */
  readonly left: number;
  /** The tables whose partitions are built, and those that follow by themselves because they read them. */
  readonly tables: readonly string[];
  readonly followers: readonly string[];
}

/** More partitions than one backfill takes. */
export class TooManyPartitionsError extends Error {
  override readonly name = "TooManyPartitionsError";
}

/** A backfill that no partition can be part of. The message says what to ask for instead. */
export class PointlessBackfillError extends Error {
  override readonly name = "PointlessBackfillError";
}

/** Thirteen years of a table. */
export const MOST_PARTITIONS = 5_000;

/**
 * The tables of a backfill. `silver`: the table that is named, whose readers follow by themselves. `gold`: a gold table that is
 * named, or every gold table that reads the one that is named; silver stays as it is. Throws PointlessBackfillError.
 */
export function tablesOf({ table, layer }: Pick<BackfillRequest, "table" | "layer">): readonly Table[] {
  if (layer === table.layer) return [table];
  if (layer === "silver") {
    const inputs = table.kind === "model" ? table.model.inputs.map((input) => input.table).join(", ") : "";
    throw new PointlessBackfillError(
      `${table.name} is a gold table: leave the layer out, or name the silver that it reads (${inputs})`,
    );
  }
  const gold = downstream([table.name])
    .flatMap((name) => tableByName(name) ?? [])
    .filter((each) => each.layer === "gold");
  if (gold.length > 0) return gold;
  throw new PointlessBackfillError(`no gold table reads ${table.name}: leave the layer out`);
}

/** What is built from these tables, each after what it reads: as the catalog has them. */
function downstream(names: readonly string[]): string[] {
  const found = new Set(names);
  for (const { name } of tables) if (readsAny(name, found)) found.add(name);
  return [...found].filter((name) => !names.includes(name));
}

function readsAny(name: string, read: ReadonlySet<string>): boolean {
  const table = tableByName(name);
  return table?.kind === "model" && table.model.inputs.some((input) => read.has(input.table));
}

/**
 * Whether a partition is one that `reprocess` asks for. `none`: those that were never built and are not known to fail. `failed`:
 * these, and those whose last build failed. `completed`: all. Pure.
 */
export function isWanted(
  { status, processed_at }: Pick<BackfillCandidate, "status" | "processed_at">,
  reprocess: Reprocess,
): boolean {
  if (reprocess === "completed") return true;
  const failed = status === "FAILED" || status === "DEAD" || status === "RETRYING";
  return failed ? reprocess === "failed" : status === null || processed_at === null;
}

/** What a backfill would build. Throws TooManyPartitionsError, PointlessBackfillError and what D1 throws. */
export async function planBackfill(db: D1Database, request: BackfillRequest): Promise<BackfillPlan> {
  const tables = tablesOf(request);
  const { from, to, reprocess } = request;
  const domains = tables.map(({ domain }) => domain);
  const found = await backfillCandidates(db, domains, { from, to }, MOST_PARTITIONS + 1);
  if (found.length > MOST_PARTITIONS) {
    throw new TooManyPartitionsError(`more than ${MOST_PARTITIONS} partitions: ask for a shorter time`);
  }
  const wanted = found.filter((each) => isWanted(each, reprocess));
  const names = tables.map(({ name }) => name);
  return {
    partitions: wanted.filter(({ sealed }) => !sealed),
    sealed: wanted.filter(({ sealed }) => sealed),
    left: found.length - wanted.length,
    tables: names,
    followers: downstream(names).filter((name) => !names.includes(name)),
  };
}

/** A build that was queued so long ago and has not begun shows that builders are behind. */
const BEHIND_MS = 30_000;
/** Open backfills that a tick looks at. */
const BACKFILLS = 20;

/** What a tick of the planner did. */
interface PlanReport {
  readonly changed: number;
  readonly queued: number;
}

export interface AdvanceDeps {
  readonly db: D1Database;
  plan(): Promise<PlanReport>;
}

/**
 * A tick: the day's work is planned, then the backfills' partitions that may start, so that these stand behind it in the queue.
 * Without an open backfill it costs one query that reads no row.
 */
export async function planWithBackfills({
  db,
  plan,
}: AdvanceDeps): Promise<PlanReport & { readonly backfilled: number }> {
  const first = await plan();
  const ids = await openBackfills(db, BACKFILLS);
  const backfilled =
    ids.length === 0 ? 0 : await advance(db, ids, { behindMs: BEHIND_MS, native: nativeDomains(tables) });
  if (backfilled === 0) return { ...first, backfilled };
  const second = await plan();
  return { changed: first.changed + second.changed, queued: first.queued + second.queued, backfilled };
}
