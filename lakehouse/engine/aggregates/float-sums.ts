/** `sum` and `avg` of doubles: the exact sum, rounded once. No order of the rows and no split into parts changes a bit of it. */
import { requireKind } from "../columns/column-kind.ts";
import { float64s, grown, uint8s } from "../columns/growth.ts";
import { release } from "../columns/release.ts";
import { argument } from "../expressions/vector.ts";
import { type Accumulator, groupsOf } from "./accumulator.ts";
import { addCounts } from "./counts.ts";
import { DoubleSums } from "./double-sums.ts";
import { ROWS_PER_CARRY } from "./limbs.ts";
import { float64State, int32State, stateColumn } from "./state-columns.ts";
import { float64Results } from "./sums.ts";

const PLUS_INFINITE = 1;
const MINUS_INFINITE = 2;
const NOT_A_NUMBER = 4;

export function createFloatSum(average: boolean): Accumulator {
  const sums = new DoubleSums();
  let counts = float64s(0);
  /** Which values that are not finite a group has seen. */
  let specials = uint8s(0);
  const reserve = (groupCount: number) => {
    counts = grown(counts, groupCount, float64s);
    specials = grown(specials, groupCount, uint8s);
  };
  const total = (group: number): number => {
    switch (specials[group]) {
      case 0:
        return sums.total(group);
      case PLUS_INFINITE:
        return Number.POSITIVE_INFINITY;
      case MINUS_INFINITE:
        return Number.NEGATIVE_INFINITY;
      default:
        return Number.NaN;
    }
  };
  return {
    update(columns, groups, groupCount) {
      reserve(groupCount);
      const column = requireKind(argument(columns, 0), "float64");
      const kept = groupsOf(column, groups);
      const { values } = column;
      for (let start = 0; start < kept.length; start += ROWS_PER_CARRY) {
        const end = Math.min(kept.length, start + ROWS_PER_CARRY);
        sums.begin(groupCount, end - start);
        for (let row = start; row < end; row++) {
          const group = kept[row]!;
          if (group < 0) continue;
          counts[group]!++;
          const value = values[row]!;
          if (sums.add(group, value)) continue;
          specials[group]! |= Number.isNaN(value) ? NOT_A_NUMBER : value > 0 ? PLUS_INFINITE : MINUS_INFINITE;
        }
      }
    },
    merge(state, groups, groupCount) {
      reserve(groupCount);
      addCounts(counts, stateColumn(state, 0, "float64", groups.length).values, groups);
      const seen = stateColumn(state, 1, "int32", groups.length).values;
      for (let i = 0; i < groups.length; i++) specials[groups[i]!]! |= seen[i]!;
      sums.merge(state.slice(2), groups, groupCount);
    },
    save(from, to) {
      reserve(to);
      return [
        float64State(counts.subarray(from, to)),
        int32State(Int32Array.from(specials.subarray(from, to))),
        ...sums.save(from, to),
      ];
    },
    finish: (groupCount) =>
      float64Results(groupCount, (group) => {
        const count = counts[group] ?? 0;
        return count === 0 ? null : average ? total(group) / count : total(group);
      }),
    get byteLength() {
      return counts.byteLength + specials.byteLength + sums.byteLength;
    },
    release() {
      release(counts);
      release(specials);
      sums.release();
    },
  };
}
