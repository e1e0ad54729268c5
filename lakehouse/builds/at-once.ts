/** Builds a table whose partition is held at once: the ledger, and models of class `whole`. */
import type { Lease } from "../../sql/statements/leases.ts";
import { createColumnBuilder } from "../engine/columns/builder.ts";
import type { Batch, Field } from "../engine/columns/column.ts";
import { isPartitionOf } from "../engine/ir/relation.ts";
import { grainOf, isEdgeModelTable, type LedgerTable, type ModelTable } from "../tables/catalog.ts";
import { stageFiles } from "../tables/stage.ts";
import type { Candidate } from "./candidate.ts";
import { runChecks } from "./gates/gate.ts";
import { judgedChecks, leavesChecks } from "./gates/judged.ts";
import { readsMixed } from "./generations/mixed.ts";
import { prepareLedger } from "./ledger.ts";
import { builtFrom } from "./models/inputs.ts";
import { prepareWhole } from "./models/whole.ts";
import type { BuildDeps, BuildOutcome } from "./outcome.ts";
import { hasClosed } from "./planning/dependencies.ts";
import { publishWhole } from "./publish-whole.ts";

type HeldTable = LedgerTable | ModelTable;

/** Throws what preparing, checking, staging and D1 throw. */
export async function buildAtOnce(deps: BuildDeps, table: HeldTable, lease: Lease): Promise<BuildOutcome> {
  const { date, runId } = lease;
  const mixed = await readsMixed(deps.db, table, date);
  const candidate = await prepare(deps, table, date);
  const { rows, rowsIn, inputs, digest, completeThrough, pins = [] } = candidate;
  const files = await stageFiles(deps, table, date, runId, rows);
  const closed = hasClosed(lease);
  // A date that is left from when the table had another grain is published without rows: a check that wants some would hold it back.
  const asked = isPartitionOf(grainOf(table), date) ? table.checks : [];
  const results = await runChecks(judgedChecks(asked, closed), table.layer, rows);
  const mine = await publishWhole(deps.db, deps.bucket, table, {
    ...{ lease, files, results, mixed, pins, rowsIn, inputs, digest, completeThrough },
    awaitsClosing: leavesChecks(asked, closed),
  });
  if (!mine) return { kind: "lost", lease };
  return { kind: "committed", lease, rowsIn, rowsOut: rows.length };
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
