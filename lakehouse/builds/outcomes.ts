/** What a build of silver tells the ledger: where its rows went, by hour of reception. */
import type { OutcomeLine } from "../../sql/statements/bronze-terms.ts";
import type { Batch, Column } from "../engine/columns/column.ts";
import { eventsByHour } from "../ledger/by-hour.ts";

/** `kept`: as they are published; `quarantined`: what checks kept out. Throws a TypeError for rows without `_received`. */
export function silverOutcomes(kept: Batch, quarantined: Batch): OutcomeLine[] {
  return [...outcomeLines("silver", kept), ...outcomeLines("quarantined", quarantined)];
}

/** Where these rows went, a line an hour. Throws a TypeError for rows without `_received`. */
export function outcomeLines(term: OutcomeLine["term"], rows: Batch): OutcomeLine[] {
  const received = columnNamed(rows, "_received");
  if (received?.kind !== "int64") throw new TypeError("silver has no _received column");
  const origin = columnNamed(rows, "_replay_of");
  const replays = origin === undefined ? [] : received.values.filter((_, row) => origin.nulls?.[row] !== 1);
  const replayed = new Map(eventsByHour(replays).map(({ hour, events }) => [hour, events]));
  return eventsByHour(received.values).map((line) => ({ ...line, term, replayed: replayed.get(line.hour) ?? 0 }));
}

function columnNamed(rows: Batch, name: string): Column | undefined {
  return rows.columns[rows.fields.findIndex((field) => field.name === name)];
}
