/** Rollback: a commit that makes a partition's files those of an older version, and pins it there until it is released. */
import { datesBehind, type RollbackTarget, rollBack, rollbackTarget } from "../../sql/statements/rollbacks.ts";
import type { Table } from "../tables/catalog.ts";
import { unfold } from "../tables/fold.ts";
import type { LakeBucket } from "../tables/lake.ts";
import { publishPointer } from "../tables/pointer.ts";
import { staleAfter } from "./planning/dependencies.ts";

export interface RollbackDeps {
  readonly db: D1Database;
  readonly bucket: LakeBucket;
  newRunId(): string;
}

export interface RollbackRequest {
  readonly version: number;
  /** Of one partition; null: of all that were committed since. */
  readonly date: string | null;
  readonly reason: string;
}

export interface RolledBack {
  readonly partition_date: string;
  /** The partition's version that it has the files of; null: it had none. */
  readonly to: number | null;
  readonly rows: number;
}

/** Partitions of one call: each is a batch of D1. */
const PARTITIONS_A_CALL = 50;

/**
 * Rolls back, partition by partition: may be cut short, and called again goes on with the rest. `more`: there are others. Throws what D1 and
 * R2 throw.
 */
export async function rollBackTable(
  deps: RollbackDeps,
  table: Table,
  { version, date, reason }: RollbackRequest,
): Promise<{ readonly partitions: readonly RolledBack[]; readonly more: boolean }> {
  const { db, bucket } = deps;
  const dates =
    date === null ? await datesBehind(db, table.name, table.domain, version, PARTITIONS_A_CALL + 1) : [date];
  const partitions: RolledBack[] = [];
  for (const each of dates.slice(0, PARTITIONS_A_CALL)) {
    const target = (await rollbackTarget(db, table.name, each, version)) ?? nothing(table);
    await unfold(db, bucket, table, each);
    const done = await rollBack(db, {
      table: table.name,
      domain: table.domain,
      date: each,
      topic: table.kind === "topic" ? table.contract.topic : null,
      layer: table.layer,
      runId: deps.newRunId(),
      version,
      target,
      reason,
      dependents: staleAfter(table.name, each, Date.now()),
    });
    if (!done) throw new Error(`${table.name} ${each} was left to its manifest while it was rolled back: ask again`);
    partitions.push({ partition_date: each, to: target.version, rows: target.rows });
  }
  if (partitions.length > 0) await publishPointer(db, bucket, table);
  return { partitions, more: dates.length > PARTITIONS_A_CALL };
}

/** A partition that had no version then: no rows, and all of its bronze still to be seen. */
function nothing({ kind }: Table): RollbackTarget {
  return {
    version: null,
    rows: 0,
    seen: kind === "topic" ? 0 : null,
    complete_through: null,
    digest: "",
    generation: null,
    terms: null,
    committed_at: null,
  };
}
