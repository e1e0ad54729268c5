import { requireKind } from "../columns/column-kind.ts";
import { float64s, grown, uint8s } from "../columns/growth.ts";
import { release } from "../columns/release.ts";
import { argument, boolColumn, integerColumn } from "../expressions/vector.ts";
import type { IrType } from "../ir/ir.ts";
import { type Accumulator, groupsOf } from "./accumulator.ts";
import { bytesState, float64State, stateColumn } from "./state-columns.ts";

/** `count(*)`, and `count(x)` of the values that are not null. Counts are doubles: exact to 2^53 rows. */
export function createCount(what: "rows" | "values", type: IrType): Accumulator {
  let counts = float64s(0);
  return {
    update(columns, groups, groupCount) {
      counts = grown(counts, groupCount, float64s);
      const kept = what === "rows" ? groups : groupsOf(argument(columns, 0), groups);
      for (let row = 0; row < kept.length; row++) {
        const group = kept[row]!;
        // Every group is below groupCount, here and in the accumulators beside this one.
        if (group >= 0) counts[group]!++;
      }
    },
    merge(state, groups, groupCount) {
      counts = grown(counts, groupCount, float64s);
      addCounts(counts, stateColumn(state, 0, "float64", groups.length).values, groups);
    },
    save(from, to) {
      counts = grown(counts, to, float64s);
      return [float64State(counts.subarray(from, to))];
    },
    finish(groupCount) {
      counts = grown(counts, groupCount, float64s);
      return integerColumn(type, groupCount, undefined, (group) => BigInt(counts[group]!));
    },
    get byteLength() {
      return counts.byteLength;
    },
    release: () => release(counts),
  };
}

/** Adds `added[i]` to the count of group `groups[i]`. */
export function addCounts(counts: Float64Array, added: Float64Array, groups: Int32Array): void {
  for (let i = 0; i < groups.length; i++) counts[groups[i]!]! += added[i]!;
}

/** `count_if(x)`: how many values are true; like a sum, and as in DuckDB, null for a group without a value. */
export function createCountIf(type: IrType): Accumulator {
  let seen = uint8s(0);
  let trues = float64s(0);
  const reserve = (groupCount: number) => {
    seen = grown(seen, groupCount, uint8s);
    trues = grown(trues, groupCount, float64s);
  };
  return {
    update(columns, groups, groupCount) {
      reserve(groupCount);
      const column = requireKind(argument(columns, 0), "bool");
      const kept = groupsOf(column, groups);
      for (let row = 0; row < kept.length; row++) {
        const group = kept[row]!;
        if (group < 0) continue;
        seen[group] = 1;
        trues[group]! += column.values[row]!;
      }
    },
    merge(state, groups, groupCount) {
      reserve(groupCount);
      markSeen(seen, stateColumn(state, 0, "bool", groups.length).values, groups);
      addCounts(trues, stateColumn(state, 1, "float64", groups.length).values, groups);
    },
    save(from, to) {
      reserve(to);
      return [bytesState(seen.subarray(from, to)), float64State(trues.subarray(from, to))];
    },
    finish: (groupCount) =>
      integerColumn(type, groupCount, undefined, (group) => (seen[group] === 1 ? BigInt(trues[group]!) : null)),
    get byteLength() {
      return seen.byteLength + trues.byteLength;
    },
    release() {
      release(seen);
      release(trues);
    },
  };
}

/** Marks the groups `groups[i]` for which `marks[i]` is set. */
export function markSeen(seen: Uint8Array, marks: Uint8Array, groups: Int32Array): void {
  for (let i = 0; i < groups.length; i++) if (marks[i] === 1) seen[groups[i]!] = 1;
}

/** `bool_and` and `bool_or`: null for a group without a value. */
export function createBoolAggregate(deciding: 0 | 1): Accumulator {
  let seen = uint8s(0);
  let decided = uint8s(0);
  const reserve = (groupCount: number) => {
    seen = grown(seen, groupCount, uint8s);
    decided = grown(decided, groupCount, uint8s);
  };
  return {
    update(columns, groups, groupCount) {
      reserve(groupCount);
      const column = requireKind(argument(columns, 0), "bool");
      const kept = groupsOf(column, groups);
      for (let row = 0; row < kept.length; row++) {
        const group = kept[row]!;
        if (group < 0) continue;
        seen[group] = 1;
        if (column.values[row] === deciding) decided[group] = 1;
      }
    },
    merge(state, groups, groupCount) {
      reserve(groupCount);
      markSeen(seen, stateColumn(state, 0, "bool", groups.length).values, groups);
      markSeen(decided, stateColumn(state, 1, "bool", groups.length).values, groups);
    },
    save(from, to) {
      reserve(to);
      return [bytesState(seen.subarray(from, to)), bytesState(decided.subarray(from, to))];
    },
    finish(groupCount) {
      reserve(groupCount);
      const nulls = seen.slice(0, groupCount).map((flag) => 1 - flag);
      const values = decided.slice(0, groupCount).map((flag) => (flag === 1 ? deciding : 1 - deciding));
      return boolColumn(values, nulls.includes(1) ? nulls : undefined);
    },
    get byteLength() {
      return seen.byteLength + decided.byteLength;
    },
    release() {
      release(seen);
      release(decided);
    },
  };
}
