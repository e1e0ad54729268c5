/** A build may read dates of a model of which some are built again and some are not yet: its rows are of no generation. */
import { type InputDates, readsStale } from "../../../sql/statements/generations.ts";
import { datesRead } from "../../engine/ir/relation.ts";
import { type Table, tableByName } from "../../tables/catalog.ts";

/** Asked before the inputs are read: what changes meanwhile leads to another build. A topic's dates may be of two generations. */
export async function readsMixed(db: D1Database, table: Table, date: string): Promise<boolean> {
  if (table.kind !== "model") return false;
  const inputs = table.model.inputs.flatMap(({ table: name, relation }): InputDates[] => {
    if (tableByName(name)?.kind !== "model") return [];
    const read = datesRead(relation, date);
    return [{ table: name, ...(typeof read === "string" ? { from: "0000-01-01", to: "9999-12-31" } : read) }];
  });
  return inputs.length > 0 && (await readsStale(db, inputs));
}
