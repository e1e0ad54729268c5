/** Prepares a partition of a model of class `whole`: all rows of its inputs in one run. */
import { ModelTooLargeError } from "../../engine/ir/errors.ts";
import type { EdgeModelTable } from "../../tables/catalog.ts";
import type { LakeWork } from "../../tables/lake.ts";
import type { Candidate } from "../candidate.ts";
import { builtFrom, inputPartitions, pinsOf, scanInputs } from "./inputs.ts";
import { planOfPartition } from "./own-partition.ts";
import { runModel } from "./run.ts";

/** Rows that one run reads at the most: some seconds of CPU, which no step can share. */
export const MAX_WHOLE_ROWS = 1_000_000;

/**
 * Runs the model over the partitions of its inputs that the partition `date` reads. Throws `ModelTooLargeError` past `MAX_WHOLE_ROWS`,
 * and what reading and `runModel` throw.
 */
export async function prepareWhole(
  db: D1Database,
  lake: LakeWork,
  table: EdgeModelTable,
  date: string,
): Promise<Candidate> {
  const { model } = table;
  const inputs = await inputPartitions(db, lake, model, date);
  const rowsIn = inputs.reduce((rows, { live }) => rows + (live?.rows ?? 0), 0);
  if (rowsIn > MAX_WHOLE_ROWS)
    throw new ModelTooLargeError(
      `model ${model.name} is of class whole (${model.class.reason}, ${model.class.at}) and one run would read ${rowsIn} rows, more than ${MAX_WHOLE_ROWS}`,
      MAX_WHOLE_ROWS,
      "let it read a model of class rows or merge that keeps fewer rows, or say engine: native in its front matter",
    );
  const rows = await runModel(model, scanInputs(lake, inputs, new Map()), planOfPartition(model, date));
  return { rows, rowsIn, ...builtFrom(inputs), pins: pinsOf(inputs) };
}
