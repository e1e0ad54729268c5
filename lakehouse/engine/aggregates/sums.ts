import type { Column } from "../columns/column.ts";
import { requireKind } from "../columns/column-kind.ts";
import { argument, float64Column, integerColumn, integerReader } from "../expressions/vector.ts";
import type { IrType } from "../ir/ir.ts";
import { type Accumulator, float64s, grown } from "./accumulator.ts";

/**
 * Rows between carries. A low or high half is below 2^32 in size, so 2^20 of them stay below 2^53 and each double holds
 * its sum exactly.
 */
const ROWS_PER_CARRY = 1 << 20;

/** Exact integer sums per group, with the number of values summed. */
interface ExactSums {
  add(column: Column, groups: Int32Array, keep: Uint8Array | undefined, groupCount: number): void;
  count(group: number): number;
  total(group: number): bigint;
}

/** A bigint per row costs an allocation: int32 and int64 are summed in doubles by halves, and carried now and then. */
function createExactSums(): ExactSums {
  let counts = float64s(0);
  let low = float64s(0);
  let high = float64s(0);
  const carried: bigint[] = [];
  let pending = 0;

  const carry = () => {
    for (let group = 0; group < low.length; group++) {
      if (low[group] === 0 && high[group] === 0) continue;
      carried[group] = (carried[group] ?? 0n) + BigInt(high[group]!) * 4_294_967_296n + BigInt(low[group]!);
    }
    low.fill(0);
    high.fill(0);
    pending = 0;
  };

  return {
    add(column, groups, keep, groupCount) {
      counts = grown(counts, groupCount, float64s);
      low = grown(low, groupCount, float64s);
      high = grown(high, groupCount, float64s);
      const { nulls } = column;
      const skips = (row: number) => keep?.[row] === 0 || nulls?.[row] === 1;
      // Groups are below groupCount and rows below the column's length: the reads are defined.
      for (let start = 0; start < groups.length; start += ROWS_PER_CARRY) {
        const end = Math.min(groups.length, start + ROWS_PER_CARRY);
        if (pending + (end - start) > ROWS_PER_CARRY) carry();
        pending += end - start;
        if (column.kind === "int32") {
          for (let row = start; row < end; row++) {
            if (skips(row)) continue;
            const group = groups[row]!;
            counts[group]!++;
            low[group]! += column.values[row]!;
          }
        } else if (column.kind === "int64") {
          const words = new Int32Array(column.values.buffer, column.values.byteOffset, column.values.length * 2);
          for (let row = start; row < end; row++) {
            if (skips(row)) continue;
            const group = groups[row]!;
            counts[group]!++;
            low[group]! += words[2 * row]! >>> 0;
            high[group]! += words[2 * row + 1]!;
          }
        } else {
          const read = integerReader(column);
          for (let row = start; row < end; row++) {
            if (skips(row)) continue;
            const group = groups[row]!;
            counts[group]!++;
            carried[group] = (carried[group] ?? 0n) + read(row);
          }
        }
      }
    },
    count: (group) => counts[group] ?? 0,
    total(group) {
      if (pending > 0) carry();
      return carried[group] ?? 0n;
    },
  };
}

/** `sum` of integers (HUGEINT) and decimals (DECIMAL(38, s)): exact; null for a group without a value. */
export function createExactSum(type: IrType): Accumulator {
  const sums = createExactSums();
  return {
    update: (columns, groups, keep, groupCount) => sums.add(argument(columns, 0), groups, keep, groupCount),
    finish: (groupCount) =>
      integerColumn(type, groupCount, undefined, (group) => (sums.count(group) === 0 ? null : sums.total(group))),
  };
}

/** `avg` of integers and decimals of `scale`: the exact sum, divided once as a double. */
export function createExactAverage(scale: number): Accumulator {
  const sums = createExactSums();
  const power = Number(`1e${scale}`);
  return {
    update: (columns, groups, keep, groupCount) => sums.add(argument(columns, 0), groups, keep, groupCount),
    finish: (groupCount) =>
      float64Results(groupCount, (group) => {
        const count = sums.count(group);
        return count === 0 ? null : Number(sums.total(group)) / (count * power);
      }),
  };
}

/** `sum` and `avg` of doubles, added in the order of the rows, as one DuckDB thread does. */
export function createFloatSum(average: boolean): Accumulator {
  let counts = float64s(0);
  let sums = float64s(0);
  return {
    update(columns, groups, keep, groupCount) {
      counts = grown(counts, groupCount, float64s);
      sums = grown(sums, groupCount, float64s);
      const { values, nulls } = requireKind(argument(columns, 0), "float64");
      for (let row = 0; row < groups.length; row++) {
        if (keep?.[row] === 0 || nulls?.[row] === 1) continue;
        const group = groups[row]!;
        counts[group]!++;
        sums[group]! += values[row]!;
      }
    },
    finish: (groupCount) =>
      float64Results(groupCount, (group) => {
        const count = counts[group] ?? 0;
        const sum = sums[group] ?? 0;
        return count === 0 ? null : average ? sum / count : sum;
      }),
  };
}

function float64Results(groupCount: number, result: (group: number) => number | null): Column {
  const values = new Float64Array(groupCount);
  const nulls = new Uint8Array(groupCount);
  for (let group = 0; group < groupCount; group++) {
    const value = result(group);
    if (value === null) nulls[group] = 1;
    else values[group] = value;
  }
  return float64Column(values, nulls.includes(1) ? nulls : undefined);
}
