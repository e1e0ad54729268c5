/**
 * A duty: partitions that are of an older generation of their table, and those that a new model lacks, are built by a backfill that the
 * deploy files by itself: inputs before outputs, newest first, a few at a time, behind the day's work. Until all are built, readers get a
 * model's table as it was, so that no table mixes two meanings of a column.
 */
import { backfillById } from "../../../sql/statements/backfill-list.ts";
import { createBackfill } from "../../../sql/statements/backfills.ts";
import {
  endWalk,
  noteWalk,
  releaseReaders,
  type StaleDate,
  staleDates,
  type TableGeneration,
} from "../../../sql/statements/generations.ts";
import { type Table, tableByName } from "../../tables/catalog.ts";
import type { LakeBucket } from "../../tables/lake.ts";
import { refreshPointer } from "../../tables/pointer.ts";
import { MOST_PARTITIONS } from "../planning/backfills.ts";
import { missingDates } from "./missing-dates.ts";
import { contentOfTable, type Deploy, recordDeploy } from "./record.ts";

/** Partitions of a table that are built at once. */
const AT_ONCE = 4;
/** `created_by` of these backfills; a person's has the id of a key there. */
export const FILED_BY = "deploy";

export interface WalkDeps {
  readonly db: D1Database;
  readonly bucket: LakeBucket;
  readonly deploy: Deploy;
  newBackfillId(): string;
  log(event: Readonly<Record<string, unknown>>): void;
}

/** `moving`: partitions are being built. `blocked`: what is left waits for a person. */
type Progress = "moving" | "blocked" | "done";

/** One run: safe at any time and twice at once. In quiet times it reads a row a table. */
export async function walkGenerations(deps: WalkDeps): Promise<{ readonly walking: number }> {
  const { db, deploy } = deps;
  const generations = await recordDeploy(db, deploy);
  const progress = new Map<string, Progress>();
  for (const table of deploy.tables) {
    const row = generations.get(table.name);
    if (row === undefined || !row.walking) continue;
    // A newer deploy walks it.
    if (row.content !== contentOfTable(table)) progress.set(table.name, "moving");
    else progress.set(table.name, waitsForInputs(table, progress) ? "moving" : await walk(deps, table, row));
  }
  return { walking: [...progress.values()].filter((each) => each !== "done").length };
}

/** A topic's partition that cannot be built keeps the old rows, which are rows all the same; a model's would be of another meaning. */
function waitsForInputs(table: Table, progress: ReadonlyMap<string, Progress>): boolean {
  if (table.kind !== "model") return false;
  return table.model.inputs.some(({ table: name }) => {
    const state = progress.get(name) ?? "done";
    return state === "moving" || (state === "blocked" && tableByName(name)?.kind === "model");
  });
}

async function walk(deps: WalkDeps, table: Table, row: TableGeneration): Promise<Progress> {
  const { db, bucket, log } = deps;
  const { generation, backfill_id: filed } = row;
  const backfill = filed === null ? null : await backfillById(db, filed);
  if (backfill !== null && backfill.ended_at === null) return "moving";
  // Somebody stopped it: resumed it goes on.
  if (backfill !== null && backfill.cancelled_at !== null) return "blocked";
  const stale = await staleDates(db, table.name, table.domain, generation);
  const missing = table.kind === "model" ? await missingDates(db, table) : [];
  const wanted = [...missing, ...datesOf(stale, "stale")].sort((a, b) => (a < b ? 1 : -1)).slice(0, MOST_PARTITIONS);
  const [newest] = wanted;
  const left = { sealed: datesOf(stale, "sealed").length, pinned: datesOf(stale, "pinned").length };
  const event = { event: "generation", table: table.name, generation, ...left };
  if (newest !== undefined) {
    const id = deps.newBackfillId();
    await file(db, table, id, wanted);
    await db.batch([noteWalk(db, table.name, generation, id)]);
    log({ ...event, rebuilds: wanted.length - missing.length, builds: missing.length, backfill: id });
    return "moving";
  }
  const failed = datesOf(stale, "failed").length;
  if (failed > 0) return "blocked";
  await releaseReaders(db, table.name, generation);
  await refreshPointer(db, bucket, table);
  await endWalk(db, table.name, generation, table.kind === "model");
  log({ ...event, done: true, since: row.since });
  return "done";
}

/** The dates are given newest first. */
async function file(db: D1Database, { domain, layer }: Table, id: string, dates: readonly string[]): Promise<void> {
  const row = { backfill_id: id, domain, layer, from_date: dates.at(-1) ?? "", to_date: dates[0] ?? "" };
  await createBackfill(
    db,
    { ...row, reprocess: "completed", max_active_runs: AT_ONCE, created_by: FILED_BY },
    dates.map((partition_date) => ({ domain, partition_date })),
  );
}

function datesOf(stale: readonly StaleDate[], reason: StaleDate["reason"]): string[] {
  return stale.filter((each) => each.reason === reason).map(({ partition_date }) => partition_date);
}
