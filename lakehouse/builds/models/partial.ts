/**
 * Models whose rows come together in aggregations, built by increments: the partial result of the rows so far is kept as
 * bytes, and an increment adds only what is new. Pure: bytes and batches in, bytes and rows out.
 */
import { decodePartials, encodePartials, type SavedPartials } from "../../engine/aggregates/partial-format.ts";
import type { Batch } from "../../engine/columns/column.ts";
import { ModelMismatchError } from "../../engine/ir/errors.ts";
import type { CompiledModel } from "../../engine/ir/ir.ts";
import { createHeldRows, MAX_GROUPS } from "../../engine/operators/held-rows.ts";
import { partialPlanOf, runPartially } from "../../engine/operators/partial-plan.ts";
import { collectModel, type ModelInputs, requireVersion, scansOf } from "./run.ts";

/**
 * A saved partial result of the model, with the note of what it holds; undefined when another version or another plan wrote
 * it: then it begins anew, with all rows. Throws `PartialFormatError` when the bytes are not whole.
 */
export function openPartial(model: CompiledModel, bytes: Uint8Array): SavedPartials | undefined {
  const saved = decodePartials(bytes);
  return saved?.generation === model.generation ? saved : undefined;
}

export interface Folded {
  /**
   * The partial result with the new rows, as pieces to be written one after another; most are views of large arrays, so
   * joining them would hold them twice. `openPartial` reads them as one.
   */
  readonly partial: readonly Uint8Array[];
  /** The model's rows over everything that was added so far. */
  readonly rows: Batch;
}

/**
 * Adds `added`, which are new rows only, to a partial result of the model, or begins one. The rows are those of `runModel`
 * over all that was added, bit for bit, whatever the splits. `note` says what the partial result now holds. Throws as
 * `runModel` does, with `MAX_GROUPS` and `MAX_DISTINCT` as bounds.
 */
export async function foldModel(
  model: CompiledModel,
  saved: SavedPartials | undefined,
  added: ModelInputs,
  note: string,
): Promise<Folded> {
  requireVersion(model);
  const plan = partialPlanOf(model.plan);
  if (plan === undefined) throw new ModelMismatchError(`model ${model.name} has no partial results`);
  const held = createHeldRows(model.name, model.maxRows, MAX_GROUPS);
  const run = runPartially(plan, held);
  if (saved !== undefined) run.merge(saved.partials);
  await run.add(scansOf(added));
  return {
    partial: encodePartials({ generation: model.generation, note, partials: run.save() }),
    rows: await collectModel(model, run.rows(), held),
  };
}
