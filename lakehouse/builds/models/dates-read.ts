import { publishedDates } from "../../../sql/statements/published-dates.ts";
import { ModelTooLargeError } from "../../engine/ir/errors.ts";
import type { CompiledModel, ModelInput } from "../../engine/ir/ir.ts";
import { datesRead } from "../../engine/ir/relation.ts";
import { grainOf, tableByName } from "../../tables/catalog.ts";

/** Partitions of one input that a build reads at the most: each closed one costs a read of its manifest, of its files besides. */
const MOST_PARTITIONS = 400;

/** The published partitions of an input that the partition `date` of a model reads, ascending. Throws `ModelTooLargeError`. */
export async function inputDates(
  db: D1Database,
  model: Pick<CompiledModel, "name">,
  { table, relation }: ModelInput,
  date: string,
): Promise<readonly string[]> {
  if (relation.kind === "same") return [date];
  const dates = await publishedDates(
    db,
    { table, grain: grainOf(tableByName(table)) },
    datesRead(relation, date),
    MOST_PARTITIONS + 1,
  );
  if (dates.length <= MOST_PARTITIONS) return dates;
  throw new ModelTooLargeError(
    `model ${model.name} reads more than ${MOST_PARTITIONS} partitions of ${table}`,
    MOST_PARTITIONS,
    "gather its days in a model with within(month) first, and read all of that one",
  );
}
