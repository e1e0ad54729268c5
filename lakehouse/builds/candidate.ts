/** The rows of a table that is built at once: what is gated, staged and committed. */
import type { LookupPin } from "../../sql/statements/lookup-pins.ts";
import type { Batch } from "../engine/columns/column.ts";

export interface Candidate {
  readonly rows: Batch;
  readonly rowsIn: number;
  /** What the version says of the inputs that were read (`Commit`). */
  readonly inputs: number;
  readonly digest: string;
  readonly completeThrough: string | null;
  /** The versions that the partition reads of other tables for good. */
  readonly pins?: readonly LookupPin[];
}
