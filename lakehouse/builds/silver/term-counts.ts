/** Where the rows of a step went, for the ledger: counts by hour of reception. */
import type { BronzeTerms } from "../../../sql/statements/bronze-terms.ts";
import type { Batch } from "../../engine/columns/column.ts";
import { exactInt64s } from "../../engine/columns/exact-int64.ts";
import { columnNamed, requireColumn } from "../../engine/columns/named-columns.ts";
import { HourCounts } from "../../ledger/by-hour.ts";
import { COPY } from "./fates.ts";

export class TermCounts {
  readonly #duplicates = new HourCounts();
  readonly #events = { silver: new HourCounts(), quarantined: new HourCounts() };
  readonly #replayed = { silver: new HourCounts(), quarantined: new HourCounts() };

  /** Throws a TypeError for rows without `_received`. */
  add(term: "silver" | "quarantined", rows: Batch): void {
    const received = receivedOf(rows);
    const origin = columnNamed(rows, "_replay_of");
    for (let row = 0; row < rows.length; row++) {
      const micros = received(row);
      this.#events[term].add(micros);
      if (origin !== undefined && origin.nulls?.[row] !== 1) this.#replayed[term].add(micros);
    }
  }

  /** The rows whose fate is COPY. */
  addCopies(rows: Batch, fates: Uint8Array): void {
    const received = receivedOf(rows);
    for (let row = 0; row < rows.length; row++) if (fates[row] === COPY) this.#duplicates.add(received(row));
  }

  terms(): Omit<BronzeTerms, "topic"> {
    const outcomes = (["silver", "quarantined"] as const).flatMap((term) => {
      const replayed = new Map(this.#replayed[term].lines().map(({ hour, events }) => [hour, events]));
      return this.#events[term].lines().map((line) => ({ ...line, term, replayed: replayed.get(line.hour) ?? 0 }));
    });
    return { duplicates: this.#duplicates.lines(), outcomes };
  }
}

/** Microseconds since the epoch. */
function receivedOf(rows: Batch): (row: number) => number {
  const column = requireColumn(rows, "_received");
  if (column.kind !== "int64") throw new TypeError("silver has no _received column");
  return exactInt64s(column.values);
}

/** The terms of a partition with those of another step. */
export function sumOfTerms(a: Omit<BronzeTerms, "topic">, b: Omit<BronzeTerms, "topic">): Omit<BronzeTerms, "topic"> {
  const duplicates = new Map(a.duplicates.map((line) => [line.hour, line]));
  for (const line of b.duplicates) {
    duplicates.set(line.hour, { ...line, events: line.events + (duplicates.get(line.hour)?.events ?? 0) });
  }
  const outcomes = new Map(a.outcomes.map((line) => [`${line.term} ${line.hour}`, line]));
  for (const line of b.outcomes) {
    const key = `${line.term} ${line.hour}`;
    const before = outcomes.get(key);
    const { events = 0, replayed = 0 } = before ?? {};
    outcomes.set(key, { ...line, events: line.events + events, replayed: line.replayed + replayed });
  }
  return { duplicates: [...duplicates.values()], outcomes: [...outcomes.values()] };
}
