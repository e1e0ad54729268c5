/** What a builder hands over to be gated, staged and committed. */
import type { Batch } from "../engine/columns/column.ts";
import type { EventsOfHour } from "../ledger/by-hour.ts";
import type { CheckResult } from "./gates/gate.ts";

export interface Candidate {
  readonly rows: Batch;
  readonly rowsIn: number;
  /** The inputs as they were read: bronze files, or {table, snapshot}. Their digest is the candidate's. */
  readonly inputs: readonly Readonly<Record<string, string | number>>[];
  /** Checks that were measured on the inputs; their row numbers count the input rows, files in the order of `inputs`. */
  readonly inputResults: readonly CheckResult[];
  /** Copies that were removed from a topic's silver. */
  readonly duplicates?: readonly EventsOfHour[];
}
