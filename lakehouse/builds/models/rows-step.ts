/** A step of a model of class `rows`: the rows that new rows of its inputs give, written beside those that are there. */
import { randomInt } from "node:crypto";
import type { AddedFile } from "../../../sql/statements/data-files.ts";
import { batchByteLength } from "../../engine/columns/byte-length.ts";
import type { Batch } from "../../engine/columns/column.ts";
import { concatBatches } from "../../engine/columns/concat.ts";
import type { Rows } from "../../engine/expressions/vector.ts";
import type { Plan } from "../../engine/ir/ir.ts";
import { createHeldRows } from "../../engine/operators/held-rows.ts";
import type { EdgeModelTable } from "../../tables/catalog.ts";
import type { LakeWork } from "../../tables/lake.ts";
import { FileStager, keysPrefix } from "../../tables/stage.ts";
import type { CheckResult } from "../gates/gate.ts";
import { RunningChecks } from "../gates/running-checks.ts";
import { inlineShare } from "../inline.ts";
import type { BuildDeps } from "../outcome.ts";
import { addKeys, knownKeys } from "../silver/known-keys.ts";
import type { ModelProgress } from "./progress.ts";
import { inKeyOrder, type ModelInputs, requireVersion, runPlan } from "./run.ts";

export interface RowsStep {
  readonly files: readonly AddedFile[];
  readonly rows: number;
  /** Results of the library's checks, over this step's rows and those before. */
  readonly results: readonly CheckResult[];
  readonly progress: Pick<ModelProgress, "rows" | "measures" | "keys" | "replaced">;
}

/** Rows and bytes that are sorted at once: each file is in the order of the key, the table as a whole is not. */
const SORTED_ROWS = 131_072;
const SORTED_BYTES = 12 * 1024 * 1024;

/**
 * Runs the plan over `inputs`, which give new rows only. Throws as `runModel` does, with the model's `max_rows` as the bound of one step,
 * `LostKeysError`, and what R2 throws.
 */
export async function rowsStep(
  lake: LakeWork & Pick<BuildDeps, "inlineBytes">,
  table: EdgeModelTable,
  { date, runId }: { readonly date: string; readonly runId: string },
  plan: Plan,
  inputs: ModelInputs,
  before: ModelProgress,
): Promise<RowsStep> {
  const { model } = table;
  requireVersion(model);
  const held = createHeldRows({ kind: "model", name: model.name, maxRows: model.maxRows });
  const checks = new RunningChecks(table.checks, table.layer, before.measures);
  const staged: AddedFile[] = [];
  let portion: Batch[] = [];
  let size = { rows: 0, bytes: 0 };
  let rows = 0;
  const write = async (batches: readonly Batch[]): Promise<void> => {
    const own = batches.length === 0 ? undefined : inKeyOrder(model, concatBatches(batches));
    const stager = new FileStager(lake, table, date, runId, "data", staged.length);
    if (own === undefined) stager.addNothing();
    else {
      await stager.add(own);
      checks.add(own);
    }
    staged.push(...(await stager.finish()));
    portion = [];
    size = { rows: 0, bytes: 0 };
  };
  for await (const batch of runPlan(plan, inputs, held)) {
    if (batch.length === 0) continue;
    rows += batch.length;
    held.check(rows);
    const named = batchOf(table, batch);
    portion.push(named);
    size = { rows: size.rows + batch.length, bytes: size.bytes + batchByteLength(named) };
    if (size.rows >= SORTED_ROWS || size.bytes >= SORTED_BYTES) await write(portion);
  }
  // A partition without rows still has its columns.
  if (portion.length > 0 || before.rows + rows === 0) await write(portion);
  const { results, measures, keys } = await checks.finish(
    (space) => knownKeys(lake.bucket, before.keys[space] ?? []),
    randomInt(2 ** 32),
  );
  const known: ModelProgress["keys"] = {};
  const inlineBytes = inlineShare(keys.size, lake.inlineBytes);
  const replaced = [...before.replaced];
  for (const [space, identities] of keys) {
    const prefix = `${keysPrefix(table, date, runId)}${space}-`;
    const change = await addKeys(lake.bucket, prefix, before.keys[space] ?? [], identities, inlineBytes);
    known[space] = [...change.kept];
    replaced.push(...change.replaced);
  }
  return { files: staged, rows, results, progress: { rows: before.rows + rows, measures, keys: known, replaced } };
}

function batchOf({ fields }: EdgeModelTable, { columns, length }: Rows): Batch {
  return { fields, columns, length };
}
