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

/** A partial result that holds the saved one's rows and those that were added. */
export interface Folded {
  /**
   * The partial result as pieces to be written one after another; most are views of large arrays, so joining them would hold
   * them twice. `openPartial` reads them as one. `note` says what it holds.
   */
  partial(note: string): readonly Uint8Array[];
  /** The model's rows over everything that was added so far. */
  rows(): Promise<Batch>;
}

/**
 * Adds `added`, which are new rows only, to a partial result of the model, or begins one. The rows are those of `runModel`
 * over all that was added, bit for bit, whatever the splits. `plan` is the model's, or that of one partition
 * (`own-partition.ts`). Throws as `runModel` does, with `MAX_GROUPS` and `MAX_DISTINCT` as bounds.
 */
export async function foldModel(
  model: CompiledModel,
  saved: SavedPartials | undefined,
  added: ModelInputs,
  plan = model.plan,
): Promise<Folded> {
  requireVersion(model);
  const parts = partialPlanOf(plan);
  if (parts === undefined) throw new ModelMismatchError(`model ${model.name} has no partial results`);
  const held = createHeldRows(model.name, model.maxRows, MAX_GROUPS);
  const run = runPartially(parts, held);
  if (saved !== undefined) run.merge(saved.partials);
  await run.add(scansOf(added));
  return {
    partial: (note) => encodePartials({ generation: model.generation, note, partials: run.save() }),
    rows: () => collectModel(model, run.rows(), held),
  };
}
