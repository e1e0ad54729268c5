import type { Batch, Column } from "../../engine/columns/column.ts";
import { columnNamed } from "../../engine/columns/named-columns.ts";
import { releaseBatch } from "../../engine/columns/release.ts";
import { nullColumn } from "../../engine/expressions/casts.ts";
import type { Rows } from "../../engine/expressions/vector.ts";
import { ModelMismatchError } from "../../engine/ir/errors.ts";
import { type EdgeModel, IR_VERSION, type IrField, type Plan } from "../../engine/ir/ir.ts";
import { irTypeOf, sameType, sqlName } from "../../engine/ir/ir-types.ts";
import { type Execution, execute } from "../../engine/operators/execute.ts";
import { createHeldRows, type HeldRows } from "../../engine/operators/held-rows.ts";
import { collectRows, reorderRows, sortedOrder } from "../../engine/operators/sort.ts";

/** Where a model reads: one partition's rows of a table, the named columns at least, in batches, in the table's order. */
export interface ModelInputs {
  scan(table: string, columns: readonly string[]): AsyncIterable<Batch>;
}

/**
 * Runs a model over its inputs and gives the whole result, sorted by the model's `key` (ascending, NULLs last, text by
 * its UTF-8 bytes: DuckDB's ORDER BY). `plan` is the model's, or that of one partition (`own-partition.ts`). The same inputs in the same order give the same batch. Throws
 * `ModelTooLargeError` past `maxRows`, `ModelValueError` for a value that DuckDB would refuse (an overflow, a cast), and
 * `ModelMismatchError` when the inputs or the IR's version do not fit the model.
 */
export async function runModel(model: EdgeModel, inputs: ModelInputs, plan = model.plan): Promise<Batch> {
  requireVersion(model);
  const held = createHeldRows({ kind: "model", name: model.name, maxRows: model.maxRows });
  return collectModel(model, runPlan(plan, inputs, held), held);
}

/** Throws `ModelMismatchError` when the model's plan is of another version of the IR than this code runs. */
export function requireVersion(model: EdgeModel): void {
  if (model.irVersion === IR_VERSION) return;
  throw new ModelMismatchError(`model ${model.name} has IR version ${model.irVersion}, this code runs ${IR_VERSION}`);
}

/** The rows of the model's plan as one batch, sorted by its key. `own`: nobody else has what the stream gives, so that it is freed. */
export async function collectModel(
  model: EdgeModel,
  stream: AsyncIterable<Rows>,
  held: HeldRows,
  own = false,
): Promise<Batch> {
  const rows = (await collectRows(stream, held)) ?? noRows(model);
  const sorted = inKeyOrder(model, { ...rows, fields: model.fields });
  if (own) releaseBatch(rows);
  return sorted;
}

/** The model's rows sorted by its key: ascending, NULLs last, text by its UTF-8 bytes. */
export function inKeyOrder(model: Pick<EdgeModel, "name" | "key">, rows: Batch): Batch {
  const by = model.key.map((name) => {
    const column = columnNamed(rows, name);
    if (column === undefined) throw new ModelMismatchError(`model ${model.name} has no column ${name}`);
    return { column, descending: false, nullsFirst: false };
  });
  const sorted = reorderRows(rows, sortedOrder(by, rows.length));
  return { fields: rows.fields, columns: sorted.columns, length: sorted.length };
}

/** The rows of a plan, batch by batch. Throws as `runModel` does; what it may hold is for `held` to say. */
export function runPlan(plan: Plan, inputs: ModelInputs, held: HeldRows): AsyncIterable<Rows> {
  return execute(plan, { scan: scansOf(inputs), held });
}

/** The inputs' rows as plans read them. Throws `ModelMismatchError` when a column is missing or of another type. */
export function scansOf(inputs: ModelInputs): Execution["scan"] {
  return (table, columns) => scanRows(inputs, table, columns);
}

function noRows(model: EdgeModel): Rows {
  return { columns: model.fields.map((field) => nullColumn(irTypeOf(field.type), 0)), length: 0 };
}

/** The scanned columns in the plan's order, of the plan's types. */
async function* scanRows(inputs: ModelInputs, table: string, columns: readonly IrField[]): AsyncIterable<Rows> {
  const names = columns.map((column) => column.name);
  for await (const batch of inputs.scan(table, names)) {
    yield { columns: columns.map((column) => scannedColumn(batch, table, column)), length: batch.length };
  }
}

function scannedColumn(batch: Batch, table: string, wanted: IrField): Column {
  const column = columnNamed(batch, wanted.name);
  if (column === undefined) throw new ModelMismatchError(`${table} has no column ${wanted.name}`);
  const type = irTypeOf(column.type);
  if (!sameType(type, wanted.type)) {
    throw new ModelMismatchError(
      `${table}.${wanted.name} is ${sqlName(type)}, the model reads ${sqlName(wanted.type)}`,
    );
  }
  return column;
}
