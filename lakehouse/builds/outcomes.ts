/** What a build of silver tells the ledger: where its rows went, by hour of reception. */
import type { Outcomes } from "../../sql/statements/ledger-outcomes.ts";
import type { Batch } from "../columns/column.ts";
import { type EventsOfHour, eventsByHour } from "../ledger/by-hour.ts";

/** `kept`: as they are published; `quarantined`: what checks kept out. Throws a TypeError for rows without `_received`. */
export function silverOutcomes(topic: string, kept: Batch, quarantined: Batch): Outcomes {
  const silver = receivedByHour(kept).map((line) => ({ ...line, term: "silver" as const }));
  const aside = receivedByHour(quarantined).map((line) => ({ ...line, term: "quarantined" as const }));
  return { topic, lines: [...silver, ...aside] };
}

function receivedByHour(rows: Batch): EventsOfHour[] {
  const received = rows.columns[rows.fields.findIndex(({ name }) => name === "_received")];
  if (received?.kind !== "int64") throw new TypeError("silver has no _received column");
  return eventsByHour(received.values);
}
