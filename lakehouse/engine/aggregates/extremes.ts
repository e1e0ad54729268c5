import type { Column } from "../columns/column.ts";
import { concatColumns, gather } from "../columns/gather.ts";
import { nullColumn } from "../expressions/casts.ts";
import { comparator } from "../expressions/comparison.ts";
import { argument } from "../expressions/vector.ts";
import type { IrType } from "../ir/ir.ts";
import type { Accumulator } from "./accumulator.ts";

/**
 * `min` and `max` of any scalar type, in the order of comparisons. The best value of each group is kept in a column of
 * as many rows as groups, replaced once a batch: state is a value per group, whatever the type.
 */
export function createExtreme(greatest: boolean, type: IrType): Accumulator {
  let best: Column = nullColumn(type, 0);
  const wins = (order: number) => (greatest ? order > 0 : order < 0);
  return {
    update(columns, groups, keep, groupCount) {
      const column = argument(columns, 0);
      // Candidate rows of this batch, one per group: -1 where there is none.
      const candidate = new Int32Array(groupCount).fill(-1);
      const within = comparator(column, column);
      for (let row = 0; row < groups.length; row++) {
        if (keep?.[row] === 0 || column.nulls?.[row] === 1) continue;
        // Groups are below groupCount.
        const group = groups[row]!;
        const held = candidate[group]!;
        if (held < 0 || wins(within(row, held))) candidate[group] = row;
      }
      best = merged(best, column, candidate, groupCount, type, wins);
    },
    finish: (groupCount) =>
      best.length === groupCount
        ? best
        : merged(best, nullColumn(type, 0), new Int32Array(groupCount).fill(-1), groupCount, type, wins),
  };
}

/** The better of `best[group]` and `column[candidate[group]]`, for each group. */
function merged(
  best: Column,
  column: Column,
  candidate: Int32Array,
  groupCount: number,
  type: IrType,
  wins: (order: number) => boolean,
): Column {
  const across = comparator(column, best);
  // Rows of: the best so far, then this batch, then one null for the groups that have nothing yet.
  const none = best.length + column.length;
  const indices = new Int32Array(groupCount);
  for (let group = 0; group < groupCount; group++) {
    const row = candidate[group]!;
    const held = group < best.length && best.nulls?.[group] !== 1;
    if (row >= 0 && (!held || wins(across(row, group)))) indices[group] = best.length + row;
    else indices[group] = held ? group : none;
  }
  return gather(concatColumns([best, column, nullColumn(type, 1)]), indices);
}
