/** What a builder hands over to be gated, staged and committed. */
import type { Batch } from "../engine/columns/column.ts";
import type { EventsOfHour } from "../ledger/by-hour.ts";
import type { CheckResult } from "./gates/gate.ts";

export interface Candidate {
  readonly rows: Batch;
  readonly rowsIn: number;
  /** What the version says of the inputs that were read (`Commit`). */
  readonly inputs: number;
  readonly digest: string;
  readonly seen: number | null;
  readonly completeThrough: string | null;
  /** Checks that were measured on the inputs; their row numbers count the input rows, files in the order in which they were registered. */
  readonly inputResults: readonly CheckResult[];
  /** Copies that were removed from a topic's silver. */
  readonly duplicates?: readonly EventsOfHour[];
}
