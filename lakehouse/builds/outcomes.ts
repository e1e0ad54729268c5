/** What a build of silver tells the ledger: how many rows it kept, by hour of reception. */
import type { Outcomes } from "../../sql/statements/ledger-outcomes.ts";
import { countByHour } from "../bronze/received-hours.ts";
import type { Batch } from "../columns/column.ts";

/** `rows`: as they are published. Throws a TypeError for rows without `_received`. */
export function silverOutcomes(topic: string, rows: Batch): Outcomes {
  const received = rows.columns[rows.fields.findIndex((field) => field.name === "_received")];
  if (received?.kind !== "int64") throw new TypeError("silver has no _received column");
  return { topic, lines: countByHour(received.values).map((line) => ({ ...line, term: "silver" })) };
}
