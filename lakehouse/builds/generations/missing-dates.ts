/** The partitions of a model that its inputs have rows for, and that nobody ever thought of: a new model has no history. */
import { knownDates } from "../../../sql/statements/generations.ts";
import { publishedDates } from "../../../sql/statements/published-dates.ts";
import { firstDayOf, ONLY_PARTITION, type Relation } from "../../engine/ir/relation.ts";
import { grainOf, type ModelTable, tableByName } from "../../tables/catalog.ts";

/** More dates than any table has: some 270 years. */
const ALL_DATES = 100_000;

/** The newest first. */
export async function missingDates(db: D1Database, { domain, model }: ModelTable): Promise<string[]> {
  const dates = new Set<string>();
  for (const { table, relation } of model.inputs) {
    const isLookup = relation.kind === "all" || relation.kind === "latest";
    // Beside a dated input a lookup begins no partition.
    if (isLookup && model.grain !== "one") continue;
    for (const date of await publishedDates(
      db,
      { table, grain: grainOf(tableByName(table)) },
      isLookup ? "latest" : "all",
      ALL_DATES,
    ))
      dates.add(model.grain === "one" ? ONLY_PARTITION.date : ownDate(relation, date));
  }
  const known = dates.size === 0 ? dates : await knownDates(db, domain);
  return [...dates].filter((date) => !known.has(date)).sort((a, b) => (a < b ? 1 : -1));
}

/** The partition that a date of the input begins. */
function ownDate(relation: Relation, date: string): string {
  return relation.kind === "within" ? firstDayOf(relation.unit, date) : date;
}
