/**
 * Compacts a partition of a table: the rows of neighbouring small files are written into one file each, in their order, and a commit puts
 * these in their place. It holds the partition's lease, so that no build is under way beside it, and it is done again from its beginning
 * where anything fails: before the commit nothing of it is known to the catalog.
 */
import type { AddedFile } from "../../../sql/statements/data-files.ts";
import {
  type CompactionLease,
  commitCompaction,
  endCompaction,
  isCommittedBy,
  leaseForCompaction,
} from "../../../sql/statements/table-compaction.ts";
import { contentOfTable } from "../../builds/generations/record.ts";
import { messageOf, orReadBack } from "../../builds/outcome.ts";
import { closesAt } from "../../builds/planning/dependencies.ts";
import type { Table } from "../../tables/catalog.ts";
import { unfold } from "../../tables/fold.ts";
import { knownRows } from "../../tables/known-rows.ts";
import { type LakeWork, tailedSource } from "../../tables/lake.ts";
import { type LivePartition, livePartition } from "../../tables/live-files.ts";
import type { ManifestFile } from "../../tables/manifest.ts";
import { publishPointer, refreshPointer } from "../../tables/pointer.ts";
import { holdsOf } from "../../tables/row-order.ts";
import { FileStager } from "../../tables/stage.ts";
import { type CompactedGroup, type CompactionRule, groupsOfRun, groupsToCompact, TABLE_COMPACTION } from "./plan.ts";

export interface TableCompactionDeps extends LakeWork {
  readonly db: D1Database;
  newRunId(): string;
  /** Milliseconds since the epoch. */
  now(): number;
  readonly rule?: CompactionRule;
}

/** `files` became `into`; `more`: there are others, for another run. */
export type TableCompactionOutcome =
  | {
      readonly kind: "committed";
      readonly files: number;
      readonly into: number;
      readonly rows: number;
      readonly more: boolean;
    }
  /** There is nothing to do, or the partition waits for a build or has one. */
  | { readonly kind: "not_needed" }
  /** The lease is another's by now. */
  | { readonly kind: "lost" };

/** It takes seconds. A build that is asked for meanwhile waits for its end at the longest, and for this where its isolate is gone. */
const LEASE_MS = 120_000;

/** Throws what D1, R2 and reading throw, with the run's failure in D1. */
export async function compactTable(
  deps: TableCompactionDeps,
  table: Table,
  date: string,
): Promise<TableCompactionOutcome> {
  const { db, bucket } = deps;
  const lease = await leaseForCompaction(db, {
    domain: table.domain,
    date,
    runId: deps.newRunId(),
    table: table.name,
    content: contentOfTable(table),
    leaseMs: LEASE_MS,
  });
  const outcome = lease === undefined ? NOT_NEEDED : await underLease(deps, table, lease);
  if (outcome.kind === "committed") await publishPointer(db, bucket, table);
  else await refreshPointer(db, bucket, table);
  return outcome;
}

const NOT_NEEDED = { kind: "not_needed" } as const;

async function underLease(
  deps: TableCompactionDeps,
  table: Table,
  lease: CompactionLease,
): Promise<TableCompactionOutcome> {
  const { db, bucket, rule = TABLE_COMPACTION } = deps;
  try {
    const live = await livePartition(db, bucket, table.name, lease.date);
    const groups = live === undefined ? [] : groupsOf(live, table, deps.now(), rule);
    const taken = groupsOfRun(groups, rule);
    if (live === undefined || taken.length === 0) {
      await db.batch(endCompaction(db, lease, null));
      return NOT_NEEDED;
    }
    const added: AddedFile[] = [];
    for (const group of taken) added.push(await putTogether(deps, table, lease, group, added.length));
    await unfold(db, bucket, table, lease.date);
    const removed = taken.flat().map(({ file }) => file);
    const rows = added.reduce((sum, file) => sum + file.rows, 0);
    const mine = await orReadBack(
      () => commitCompaction(db, { lease, table: table.name, before: live, added, removed, rows }),
      () => isCommittedBy(db, table.name, lease.runId),
    );
    if (!mine) return { kind: "lost" };
    return { kind: "committed", files: removed.length, into: added.length, rows, more: taken.length < groups.length };
  } catch (error) {
    await db.batch(endCompaction(db, lease, messageOf(error)));
    throw error;
  }
}

/** Of a partition as it is published at `now`, in milliseconds. Only files with the table's rows: quarantine stays as it is. */
export function groupsOf(
  { partition_date, files }: Pick<LivePartition, "partition_date" | "files">,
  { domain }: Pick<Table, "domain">,
  now: number,
  rule: CompactionRule,
): CompactedGroup<ManifestFile>[] {
  const data = files.filter(({ kind }) => kind === "data");
  return groupsToCompact(data, closesAt(domain, partition_date) <= now, rule);
}

async function putTogether(
  lake: LakeWork,
  table: Table,
  { date, runId }: CompactionLease,
  group: CompactedGroup<ManifestFile>,
  before: number,
): Promise<AddedFile> {
  // Each of a model's files is in the order of its key; one behind the other they are in none.
  const staged = { ...table, sortedBy: [] };
  const stager = new FileStager(lake, staged, date, runId, "data", before, Number.POSITIVE_INFINITY);
  stager.addNothing();
  for (const { file } of group) {
    using source = await tailedSource(lake.bucket, file);
    for await (const rows of knownRows(lake.permit, source, table.fields, true)) await stager.add(rows);
  }
  const [file, ...others] = await stager.finish();
  const wanted = group.reduce((sum, { rows }) => sum + rows, 0);
  if (file === undefined || others.length > 0 || file.rows !== wanted)
    throw new Error(
      `${file?.rows} rows of ${table.name} ${date} were written for the ${wanted} that the catalog lists`,
    );
  return { ...file, holds: holdsOf(group) };
}
