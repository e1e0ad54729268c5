/** Builds a table whose partition is held at once: the ledger, and models of class `whole`. */
import { commitVersion, isPublishedBy } from "../../sql/statements/commits.ts";
import type { Lease } from "../../sql/statements/leases.ts";
import { pinLookups } from "../../sql/statements/lookup-pins.ts";
import { decisionsOf } from "../../sql/statements/partition-decisions.ts";
import { checksOf } from "../../sql/statements/quality.ts";
import { createColumnBuilder } from "../engine/columns/builder.ts";
import type { Batch, Field } from "../engine/columns/column.ts";
import { isPartitionOf } from "../engine/ir/relation.ts";
import { grainOf, isEdgeModelTable, type LedgerTable, type ModelTable } from "../tables/catalog.ts";
import { unfold } from "../tables/fold.ts";
import { stageFiles } from "../tables/stage.ts";
import type { Candidate } from "./candidate.ts";
import { unaccepted } from "./gates/decisions.ts";
import { blocking, QualityGateError, runChecks } from "./gates/gate.ts";
import { judgedChecks, leavesChecks } from "./gates/judged.ts";
import { resultRow } from "./gates/result-row.ts";
import { readsMixed } from "./generations/mixed.ts";
import { contentOfTable } from "./generations/record.ts";
import { prepareLedger } from "./ledger.ts";
import { builtFrom } from "./models/inputs.ts";
import { prepareWhole } from "./models/whole.ts";
import { type BuildDeps, type BuildOutcome, orReadBack } from "./outcome.ts";
import { hasClosed, staleAfter } from "./planning/dependencies.ts";

type HeldTable = LedgerTable | ModelTable;

/** Throws what preparing, checking, staging and D1 throw. */
export async function buildAtOnce(deps: BuildDeps, table: HeldTable, lease: Lease): Promise<BuildOutcome> {
  const { db } = deps;
  const { date, runId } = lease;
  const mixed = await readsMixed(db, table, date);
  const candidate = await prepare(deps, table, date);
  const files = await stageFiles(deps, table, date, runId, candidate.rows);
  const decisions = await decisionsOf(db, table.domain, date);
  const closed = hasClosed(lease);
  // A date that is left from when the table had another grain is published without rows: a check that wants some would hold it back.
  const asked = isPartitionOf(grainOf(table), date) ? table.checks : [];
  const results = await runChecks(judgedChecks(asked, closed), table.layer, candidate.rows);
  const rows = results.map((result) => resultRow(result, files));
  const checks = checksOf(table.name, new Date().toISOString(), rows);
  const held = unaccepted(blocking(results), decisions);
  if (held.length > 0) throw new QualityGateError(table.name, date, held, checks);
  await unfold(db, deps.bucket, table, date);
  const mine = await orReadBack(
    () =>
      commitVersion(db, {
        lease,
        table: table.name,
        layer: table.layer,
        path: `${table.directory}/${table.partition}=${date}/`,
        // The partition as a whole was built again.
        added: files,
        removed: "all",
        rows: candidate.rows.length,
        rowsAdded: candidate.rows.length,
        rowsIn: candidate.rowsIn,
        inputs: candidate.inputs,
        digest: candidate.digest,
        seen: null,
        completeThrough: candidate.completeThrough,
        generation: { content: mixed ? null : contentOfTable(table) },
        awaitsClosing: leavesChecks(asked, closed),
        dependents: staleAfter(table.name, date, Date.now()),
        checks,
        also: (guard) => pinLookups(candidate.pins ?? [], guard),
      }),
    () => isPublishedBy(db, table.name, date, runId),
  );
  if (!mine) return { kind: "lost", lease };
  return { kind: "committed", lease, rowsIn: candidate.rowsIn, rowsOut: candidate.rows.length };
}

async function prepare(deps: BuildDeps, table: HeldTable, date: string): Promise<Candidate> {
  if (table.kind === "ledger") return await prepareLedger(deps.db, date);
  if (isEdgeModelTable(table)) return await prepareWhole(deps.db, deps, table, date);
  if (isPartitionOf(table.model.grain, date))
    throw new Error(`${table.name} ${date} is a native builder's: the edge has no plan of its model`);
  return { rows: noRowsOf(table.fields), rowsIn: 0, ...builtFrom([]) };
}

function noRowsOf(fields: readonly Field[]): Batch {
  return { fields, columns: fields.map(({ type }) => createColumnBuilder(type).finish()), length: 0 };
}
