/** A model run by increments, and in parts that are merged: the rows must be those of one run. */
import { foldModel, openPartial } from "../../lakehouse/builds/models/partial.ts";
import { collectModel, type ModelInputs, scansOf } from "../../lakehouse/builds/models/run.ts";
import { decodePartials, encodePartials } from "../../lakehouse/engine/aggregates/partial-format.ts";
import type { Batch } from "../../lakehouse/engine/columns/column.ts";
import type { CompiledModel } from "../../lakehouse/engine/ir/ir.ts";
import { createHeldRows } from "../../lakehouse/engine/operators/held-rows.ts";
import { partialPlanOf, runPartially } from "../../lakehouse/engine/operators/partial-plan.ts";

export function joined(pieces: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(pieces));
}

/** The model over the parts one after another, each an increment on the saved bytes of those before it. */
export async function runByIncrements(model: CompiledModel, parts: readonly ModelInputs[]): Promise<Batch> {
  let saved: Uint8Array | undefined;
  let rows: Batch | undefined;
  for (const [at, part] of parts.entries()) {
    const folded = await foldModel(model, saved && openPartial(model, saved), part);
    saved = joined(folded.partial(`${at + 1} parts`));
    rows = await folded.rows();
  }
  if (rows === undefined) throw new Error("there is no part");
  return rows;
}

/** The model over each part by itself, and their partial results merged in the order of the parts. */
export async function runMerged(model: CompiledModel, parts: readonly ModelInputs[]): Promise<Batch> {
  const plan = partialPlanOf(model.plan);
  if (plan === undefined) throw new Error(`${model.name} has no partial results`);
  const held = createHeldRows(model.name, 1_000_000);
  const whole = runPartially(plan, held);
  for (const part of parts) {
    const run = runPartially(plan, createHeldRows(model.name, 1_000_000));
    await run.add(scansOf(part));
    const bytes = joined(encodePartials({ generation: model.generation, note: "", partials: run.save() }));
    whole.merge(decodePartials(bytes)?.partials ?? []);
  }
  return collectModel(model, whole.rows(), held);
}
