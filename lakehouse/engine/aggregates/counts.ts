import { requireKind } from "../columns/column-kind.ts";
import { argument, boolColumn, integerColumn } from "../expressions/vector.ts";
import type { IrType } from "../ir/ir.ts";
import { type Accumulator, float64s, grown } from "./accumulator.ts";

/** `count(*)`, and `count(x)` of the values that are not null. */
export function createCount(what: "rows" | "values", type: IrType): Accumulator {
  // Counts are doubles: exact to 2^53 rows.
  let counts = float64s(0);
  return {
    update(columns, groups, keep, groupCount) {
      counts = grown(counts, groupCount, float64s);
      const nulls = what === "rows" ? undefined : argument(columns, 0).nulls;
      for (let row = 0; row < groups.length; row++) {
        if (keep?.[row] === 0 || nulls?.[row] === 1) continue;
        // Every group is below groupCount.
        counts[groups[row]!]!++;
      }
    },
    finish(groupCount) {
      counts = grown(counts, groupCount, float64s);
      return integerColumn(type, groupCount, undefined, (group) => BigInt(counts[group]!));
    },
  };
}

/** `count_if(x)`: how many values are true; like a sum, and as in DuckDB, null for a group without a value. */
export function createCountIf(type: IrType): Accumulator {
  let values = float64s(0);
  let trues = float64s(0);
  return {
    update(columns, groups, keep, groupCount) {
      values = grown(values, groupCount, float64s);
      trues = grown(trues, groupCount, float64s);
      const column = requireKind(argument(columns, 0), "bool");
      for (let row = 0; row < groups.length; row++) {
        if (keep?.[row] === 0 || column.nulls?.[row] === 1) continue;
        // Every group is below groupCount.
        const group = groups[row]!;
        values[group]!++;
        trues[group]! += column.values[row]!;
      }
    },
    finish: (groupCount) =>
      integerColumn(type, groupCount, undefined, (group) => (values[group] ? BigInt(trues[group]!) : null)),
  };
}

/** `bool_and` and `bool_or`: null for a group without a value. */
export function createBoolAggregate(deciding: 0 | 1): Accumulator {
  const bytes = (length: number) => new Uint8Array(length);
  let seen = bytes(0);
  let decided = bytes(0);
  return {
    update(columns, groups, keep, groupCount) {
      seen = grown(seen, groupCount, bytes);
      decided = grown(decided, groupCount, bytes);
      const { values, nulls } = requireKind(argument(columns, 0), "bool");
      for (let row = 0; row < groups.length; row++) {
        if (keep?.[row] === 0 || nulls?.[row] === 1) continue;
        const group = groups[row]!;
        seen[group] = 1;
        if (values[row] === deciding) decided[group] = 1;
      }
    },
    finish(groupCount) {
      seen = grown(seen, groupCount, bytes);
      decided = grown(decided, groupCount, bytes);
      const nulls = seen.slice(0, groupCount).map((flag) => 1 - flag);
      const values = decided.slice(0, groupCount).map((flag) => (flag === 1 ? deciding : 1 - deciding));
      return boolColumn(values, nulls.includes(1) ? nulls : undefined);
    },
  };
}
