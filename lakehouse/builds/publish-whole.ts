/** Publishes a partition that was built as a whole, unless a check holds it back: so builds at once end, and native ones. */
import { type Commit, commitVersion, isPublishedBy } from "../../sql/statements/commits.ts";
import type { AddedFile } from "../../sql/statements/data-files.ts";
import type { Guard } from "../../sql/statements/guard.ts";
import { type LookupPin, pinLookups } from "../../sql/statements/lookup-pins.ts";
import { decisionsOf } from "../../sql/statements/partition-decisions.ts";
import { checksOf } from "../../sql/statements/quality.ts";
import type { Table } from "../tables/catalog.ts";
import { unfold } from "../tables/fold.ts";
import type { LakeBucket } from "../tables/lake.ts";
import { unaccepted } from "./gates/decisions.ts";
import { blocking, type CheckResult, QualityGateError } from "./gates/gate.ts";
import { resultRow } from "./gates/result-row.ts";
import { contentOfTable } from "./generations/record.ts";
import { orReadBack } from "./outcome.ts";
import { staleAfter } from "./planning/dependencies.ts";

export interface WholePartition
  extends Pick<Commit, "lease" | "rowsIn" | "inputs" | "digest" | "completeThrough" | "awaitsClosing"> {
  /** All of its rows. */
  readonly files: readonly AddedFile[];
  readonly results: readonly CheckResult[];
  /** The rows that it was built from are of several generations. */
  readonly mixed: boolean;
  /** The versions that it reads of other tables for good. */
  readonly pins: readonly LookupPin[];
  /** What else turns with it. */
  also?(guard: Guard): D1PreparedStatement[];
}

/**
 * Gives whether the version of this run is published: not where the lease is another's. Throws `QualityGateError` where a check that
 * blocks failed, and what D1 and reading a manifest throw.
 */
export async function publishWhole(
  db: D1Database,
  bucket: Pick<LakeBucket, "get">,
  table: Table,
  { files, results, mixed, pins, also, ...whole }: WholePartition,
): Promise<boolean> {
  const { date, runId } = whole.lease;
  const checks = checksOf(
    table.name,
    new Date().toISOString(),
    results.map((result) => resultRow(result, files)),
  );
  const held = unaccepted(blocking(results), await decisionsOf(db, table.domain, date));
  if (held.length > 0) throw new QualityGateError(table.name, date, held, checks);
  await unfold(db, bucket, table, date);
  const rows = files.reduce((sum, file) => sum + file.rows, 0);
  return await orReadBack(
    () =>
      commitVersion(db, {
        ...whole,
        table: table.name,
        layer: table.layer,
        path: `${table.directory}/${table.partition}=${date}/`,
        added: files,
        removed: "all",
        rows,
        rowsAdded: rows,
        seen: null,
        generation: { content: mixed ? null : contentOfTable(table) },
        dependents: staleAfter(table.name, date, Date.now()),
        checks,
        also: (guard) => [...pinLookups(pins, guard), ...(also?.(guard) ?? [])],
      }),
    () => isPublishedBy(db, table.name, date, runId),
  );
}
