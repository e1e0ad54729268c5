/** The work order of a native build: all that a builder needs of a partition of a model, and what the commit will hold its rows against. */

import type { Lease } from "../../../sql/statements/leases.ts";
import type { Field } from "../../engine/columns/column.ts";
import { ModelTooLargeError } from "../../engine/ir/errors.ts";
import { irTypeOf, sqlName } from "../../engine/ir/ir-types.ts";
import { ONLY_PARTITION } from "../../engine/ir/relation.ts";
import { type ModelTable, type Table, tableByName } from "../../tables/catalog.ts";
import { DUCKDB_VERSION } from "../../tables/compiled/models.generated.ts";
import { missingValue } from "../../tables/evolved-rows.ts";
import { evolvedColumns } from "../../tables/views.ts";
import { judgedChecks } from "../gates/judged.ts";
import { dataOf, type InputPartition } from "../models/inputs.ts";
import { readsOtherDates } from "../models/own-partition.ts";
import { hasClosed } from "../planning/dependencies.ts";
import { wireCheck } from "./check-sql.ts";

import { BUILDER_PROTOCOL, RENEW_EVERY_MS, type WireColumn, type WireInput, type WorkOrder } from "./wire.ts";

/** Files that a build reads at the most: the platform holds their keys while it answers for one of them. */
export const MAX_INPUT_FILES = 20_000;
/** What a reader of the lake decodes at once: an isolate holds some megabytes of a row group. */
export const ROW_GROUP_ROWS = 32_768;
const FILE_BYTES = 60_000_000;

/** Throws `ModelTooLargeError`, and what `wireCheck` throws. */
export function workOrder(table: ModelTable, lease: Lease, inputs: readonly InputPartition[]): WorkOrder {
  const { model, name } = table;
  const { date, runId } = lease;
  const files = inputs.reduce((sum, { live }) => sum + (live === undefined ? 0 : dataOf(live).length), 0);
  if (files > MAX_INPUT_FILES)
    throw new ModelTooLargeError(
      `model ${name} reads ${files} files, more than ${MAX_INPUT_FILES}`,
      MAX_INPUT_FILES,
      "small files are compacted an hour after their date has closed; or gather the days in a model with within(month) first",
    );
  return {
    protocol: BUILDER_PROTOCOL,
    run: runId,
    renew_every_ms: RENEW_EVERY_MS,
    duckdb: DUCKDB_VERSION,
    table: name,
    date,
    sql: model.sql,
    inputs: model.inputs.map((input) => wireInput(input.table, inputs)),
    output: {
      columns: table.fields.map(wireColumn),
      partition: isNarrowed(table) ? { column: table.partition, date } : null,
      order: [...table.sortedBy],
      row_group_rows: ROW_GROUP_ROWS,
      file_bytes: FILE_BYTES,
      metadata: { "sluice.table": name, "sluice.run": runId },
      max_rows: model.rowLimit,
    },
    checks: judgedChecks(table.checks, hasClosed(lease))
      .filter(({ layer }) => layer === table.layer)
      .map((check) => wireCheck(check, table)),
  };
}

/** Whether the model's rows may be of other partitions too (`../models/own-partition.ts`). */
function isNarrowed({ model, partition }: ModelTable): boolean {
  if (partition === ONLY_PARTITION.column) return false;
  return model.plan === null || readsOtherDates(model);
}

function wireColumn({ name, type }: Field): WireColumn {
  return { name, type: sqlName(irTypeOf(type)) };
}

function wireInput(name: string, inputs: readonly InputPartition[]): WireInput {
  const table = tableByName(name);
  return {
    table: name,
    columns: (table?.fields ?? []).map((field) => inputColumn(field, table)),
    files: inputs.flatMap(({ table: of, live }) =>
      of === name && live !== undefined ? dataOf(live).map(({ file, bytes, rows }) => ({ file, bytes, rows })) : [],
    ),
  };
}

function inputColumn(field: Field, table: Table | undefined): WireInput["columns"][number] {
  const column = wireColumn(field);
  const evolved = table === undefined ? undefined : evolvedColumns(table).find(({ name }) => name === field.name);
  const missing = evolved === undefined ? undefined : missingValue(evolved);
  return missing === undefined ? column : { ...column, missing };
}
