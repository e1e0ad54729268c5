/**
 * Models whose rows come together in aggregations, built by increments: the partial result of the rows so far is kept as
 * bytes, and an increment adds only what is new. Pure: bytes and batches in, bytes and rows out.
 */
import { encodePartial, type SavedPart } from "../../engine/aggregates/partial-format.ts";
import type { Batch } from "../../engine/columns/column.ts";
import { ModelMismatchError } from "../../engine/ir/errors.ts";
import type { EdgeModel } from "../../engine/ir/ir.ts";
import { createHeldRows, MAX_GROUPS } from "../../engine/operators/held-rows.ts";
import { partialPlanOf, runPartially } from "../../engine/operators/partial-plan.ts";
import { collectModel, type ModelInputs, requireVersion, scansOf } from "./run.ts";

/** A partial result that holds the saved one's rows and those that were added. */
export interface Folded {
  /** The partial result as `encodePartial` gives it, part by part. `note` says what it holds. */
  partial(note: string): Iterable<readonly Uint8Array[]>;
  /** The model's rows over everything that was added so far, in arrays of their own. Nothing else is asked afterwards. */
  rows(): Promise<Batch>;
  /** Frees the partial result: the last call, where the rows are not asked for. Else it would wait for a collection (`release.ts`). */
  release(): void;
}

/**
 * Adds `added`, which are new rows only, to a saved partial result of the model, or begins one. The rows are those of `runModel`
 * over all that was added, bit for bit, whatever the splits. `saved` gives each part when it is asked for, and may free it then.
 * `plan` is the model's, or that of one partition (`own-partition.ts`). Throws as `runModel` does, with `MAX_GROUPS` and
 * `MAX_DISTINCT` as bounds, `PartialFormatError` where `saved` is of another plan, and what `saved` throws.
 */
export async function foldModel(
  model: EdgeModel,
  saved: AsyncIterable<SavedPart> | undefined,
  added: ModelInputs,
  plan = model.plan,
): Promise<Folded> {
  requireVersion(model);
  const parts = partialPlanOf(plan);
  if (parts === undefined) throw new ModelMismatchError(`model ${model.name} has no partial results`);
  const { name, maxRows, generation } = model;
  const held = createHeldRows({ kind: "model", name, maxRows, maxGroups: MAX_GROUPS });
  const run = runPartially(parts, held);
  try {
    if (saved !== undefined) {
      const merge = run.merger();
      for await (const part of saved) merge(part);
    }
    await run.add(scansOf(added));
  } catch (error) {
    run.release();
    throw error;
  }
  return {
    partial: (note) => encodePartial({ generation, note }, run.save()),
    rows: () => collectModel(model, run.rows(), held, true),
    release: () => run.release(),
  };
}
