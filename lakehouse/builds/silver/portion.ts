/** The bronze rows that a step reads: whole flushes, or a piece of one that has more rows than a step may. Pure. */
import type { BronzeInput, UnseenInputs } from "../../../sql/statements/bronze-inputs.ts";

export interface Portion {
  /** In the order of registration; the first one without the rows that are read of it, the only one without those that are too many. */
  readonly inputs: readonly BronzeInput[];
  /** The registration through which everything is read once these are. */
  readonly through: number;
  /** Rows that are read of the first input behind `through` once these are. */
  readonly partRead: number;
  /** Files of which nothing is left to read then. */
  readonly ended: readonly string[];
  /** Whether there is more to read behind these. */
  readonly more: boolean;
}

/**
 * The first `limitRows` of the unseen inputs or fewer, without the `partRead` rows of the first that are read already. `unseen` are
 * inputs behind `seen` with at most `limitRows + partRead` rows together, or a single one. Throws an Error when the first has not
 * as many rows as were read of it.
 */
export function portionOf(unseen: UnseenInputs, seen: number, partRead: number, limitRows: number): Portion {
  const [first, ...others] = unseen.inputs;
  if (first === undefined) return { inputs: [], through: unseen.through, partRead: 0, ended: [], more: unseen.more };
  const left = first.rows - partRead;
  if (left <= 0) {
    throw new Error(
      `silver_progress says that ${partRead} rows of ${first.file} are read, which has ${first.rows}; delete the row, and the partition is built from its beginning`,
    );
  }
  const rows = others.length === 0 ? Math.min(left, limitRows) : left;
  const inputs = [
    { ...first, first_row: first.first_row + partRead, stored_row: first.stored_row + partRead, rows },
    ...others,
  ];
  if (rows < left) return { inputs, through: seen, partRead: partRead + rows, ended: [], more: true };
  const ended = unseen.inputs.map(({ file }) => file);
  return { inputs, through: unseen.through, partRead: 0, ended, more: unseen.more };
}
