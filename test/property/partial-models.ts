/** A model run by increments, and in parts that are merged: the rows must be those of one run. */
import { foldModel } from "../../lakehouse/builds/models/partial.ts";
import { collectModel, type ModelInputs, scansOf } from "../../lakehouse/builds/models/run.ts";
import { encodePartial, PartialReader, type SavedPart } from "../../lakehouse/engine/aggregates/partial-format.ts";
import type { Batch } from "../../lakehouse/engine/columns/column.ts";
import type { EdgeModel } from "../../lakehouse/engine/ir/ir.ts";
import { createHeldRows } from "../../lakehouse/engine/operators/held-rows.ts";
import { partialPlanOf, runPartially } from "../../lakehouse/engine/operators/partial-plan.ts";

export function joined(parts: Iterable<readonly Uint8Array[]>): Uint8Array {
  const bytes: Uint8Array[] = [];
  // The pieces of a part stand until the next one is asked for.
  for (const pieces of parts) bytes.push(Buffer.concat(pieces));
  return Uint8Array.from(Buffer.concat(bytes));
}

async function* partsOf(model: EdgeModel, bytes: Uint8Array): AsyncGenerator<SavedPart> {
  const reader = new PartialReader(model.generation);
  yield* reader.read(bytes);
  reader.finish();
}

/** The model over the parts one after another, each an increment on the saved bytes of those before it. */
export async function runByIncrements(model: EdgeModel, parts: readonly ModelInputs[]): Promise<Batch> {
  let saved: Uint8Array | undefined;
  let rows: Batch | undefined;
  for (const [at, part] of parts.entries()) {
    const folded = await foldModel(model, saved && partsOf(model, saved), part);
    saved = joined(folded.partial(`${at + 1} parts`));
    rows = await folded.rows();
  }
  if (rows === undefined) throw new Error("there is no part");
  return rows;
}

/** The model over each part by itself, and their partial results merged in the order of the parts. */
export async function runMerged(model: EdgeModel, parts: readonly ModelInputs[]): Promise<Batch> {
  const plan = partialPlanOf(model.plan);
  if (plan === undefined) throw new Error(`${model.name} has no partial results`);
  const held = createHeldRows({ kind: "model", name: model.name, maxRows: 1_000_000 });
  const whole = runPartially(plan, held);
  for (const part of parts) {
    const run = runPartially(plan, createHeldRows({ kind: "model", name: model.name, maxRows: 1_000_000 }));
    await run.add(scansOf(part));
    const bytes = joined(encodePartial({ generation: model.generation, note: "" }, run.save()));
    const merge = whole.merger();
    for await (const saved of partsOf(model, bytes)) merge(saved);
  }
  return collectModel(model, whole.rows(), held);
}
