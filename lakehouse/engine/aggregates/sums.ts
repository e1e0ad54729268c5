/** `sum` and `avg` of integers and decimals: exact, whatever the order of the rows. */
import type { Column } from "../columns/column.ts";
import { float64s, grown, uint8s } from "../columns/growth.ts";
import { release } from "../columns/release.ts";
import { argument, float64Column, integerColumn } from "../expressions/vector.ts";
import type { IrType } from "../ir/ir.ts";
import { type Accumulator, groupsOf } from "./accumulator.ts";
import { addCounts, markSeen } from "./counts.ts";
import { IntegerSums } from "./integer-sums.ts";
import { bytesState, float64State, stateColumn } from "./state-columns.ts";

/** `sum` of integers (HUGEINT) and decimals (DECIMAL(38, s)); null for a group without a value. */
export function createExactSum(type: IrType): Accumulator {
  const sums = new IntegerSums();
  let seen = uint8s(0);
  return {
    update(columns, groups, groupCount) {
      seen = grown(seen, groupCount, uint8s);
      const column = argument(columns, 0);
      const kept = groupsOf(column, groups);
      for (let row = 0; row < kept.length; row++) if (kept[row]! >= 0) seen[kept[row]!] = 1;
      sums.add(column, kept, groupCount);
    },
    merge(state, groups, groupCount) {
      seen = grown(seen, groupCount, uint8s);
      markSeen(seen, stateColumn(state, 0, "bool", groups.length).values, groups);
      sums.merge(state.slice(1), groups, groupCount);
    },
    save(from, to) {
      seen = grown(seen, to, uint8s);
      return [bytesState(seen.subarray(from, to)), ...sums.save(from, to)];
    },
    finish: (groupCount) =>
      integerColumn(type, groupCount, undefined, (group) => (seen[group] === 1 ? sums.total(group) : null)),
    get byteLength() {
      return seen.byteLength + sums.byteLength;
    },
    release() {
      release(seen);
      sums.release();
    },
  };
}

/** `avg` of integers and decimals of `scale`: the exact sum, divided once as a double. */
export function createExactAverage(scale: number): Accumulator {
  const sums = new IntegerSums();
  let counts = float64s(0);
  const power = Number(`1e${scale}`);
  return {
    update(columns, groups, groupCount) {
      counts = grown(counts, groupCount, float64s);
      const column = argument(columns, 0);
      const kept = groupsOf(column, groups);
      for (let row = 0; row < kept.length; row++) if (kept[row]! >= 0) counts[kept[row]!]!++;
      sums.add(column, kept, groupCount);
    },
    merge(state, groups, groupCount) {
      counts = grown(counts, groupCount, float64s);
      addCounts(counts, stateColumn(state, 0, "float64", groups.length).values, groups);
      sums.merge(state.slice(1), groups, groupCount);
    },
    save(from, to) {
      counts = grown(counts, to, float64s);
      return [float64State(counts.subarray(from, to)), ...sums.save(from, to)];
    },
    finish: (groupCount) =>
      float64Results(groupCount, (group) => {
        const count = counts[group] ?? 0;
        return count === 0 ? null : Number(sums.total(group)) / (count * power);
      }),
    get byteLength() {
      return counts.byteLength + sums.byteLength;
    },
    release() {
      release(counts);
      sums.release();
    },
  };
}

/** Doubles by group; null for a group without a value. */
export function float64Results(groupCount: number, result: (group: number) => number | null): Column {
  const values = new Float64Array(groupCount);
  const nulls = new Uint8Array(groupCount);
  for (let group = 0; group < groupCount; group++) {
    const value = result(group);
    if (value === null) nulls[group] = 1;
    else values[group] = value;
  }
  return float64Column(values, nulls.includes(1) ? nulls : undefined);
}
