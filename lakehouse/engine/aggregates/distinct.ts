import type { Column } from "../columns/column.ts";
import { gather } from "../columns/gather.ts";
import { float64s, grown } from "../columns/growth.ts";
import { release } from "../columns/release.ts";
import { createTupleIndex } from "../columns/tuple-index.ts";
import { argument, integerColumn } from "../expressions/vector.ts";
import { PartialFormatError } from "../ir/errors.ts";
import type { IrType } from "../ir/ir.ts";
import { type Accumulator, type AccumulatorBounds, groupsOf } from "./accumulator.ts";
import { DistinctSet, forEachPair } from "./distinct-set.ts";
import { int32State, stateColumn } from "./state-columns.ts";
import { fingerprintsOf } from "./value-fingerprints.ts";

/** `count(DISTINCT x)`: the values that a group has seen, as fingerprints. */
export function createCountDistinct(type: IrType, bounds: AccumulatorBounds): Accumulator {
  const seen = new DistinctSet();
  let counts = float64s(0);
  const beforeNew = () => bounds.addDistinct(1);
  /** Whether what is there comes of the one saved state that is being loaded, in which no pair stands twice. */
  let loading = false;
  return {
    update(columns, groups, groupCount) {
      loading = false;
      counts = grown(counts, groupCount, float64s);
      const column = argument(columns, 0);
      const kept = groupsOf(column, groups);
      const fingerprint = fingerprintsOf(column);
      const words = new Int32Array(4);
      for (let row = 0; row < kept.length; row++) {
        const group = kept[row]!;
        if (group < 0) continue;
        fingerprint(row, words);
        if (seen.add(group, words[0]!, words[1]!, words[2]!, beforeNew)) counts[group]!++;
      }
    },
    merge(state, _, groupCount) {
      counts = grown(counts, groupCount, float64s);
      const [values = -1] = stateColumn(state, 0, "int32", 1).values;
      if (values < 0 || values > MAX_RESERVED) throw new PartialFormatError("a distinct set does not say its size");
      // Pairs follow all groups.
      loading = seen.size === 0;
      seen.reserve(values);
    },
    save: () => [int32State(Int32Array.of(seen.size))],
    pairs: {
      *save() {
        for (const column of seen.save()) yield [column];
      },
      merge(portion, groups, groupCount) {
        counts = grown(counts, groupCount, float64s);
        const before = seen.size;
        forEachPair(stateColumn(portion, 0, "int32"), (theirs, a, b, c) => {
          const group = groups[theirs];
          if (group === undefined) throw new PartialFormatError("a distinct value belongs to no group");
          if (loading) seen.append(group, a, b, c);
          else if (!seen.add(group, a, b, c, beforeNew)) return;
          counts[group]!++;
        });
        if (loading) bounds.addDistinct(seen.size - before);
      },
      get byteLength() {
        return seen.byteLength;
      },
    },
    finish(groupCount) {
      counts = grown(counts, groupCount, float64s);
      return integerColumn(type, groupCount, undefined, (group) => BigInt(counts[group]!));
    },
    get byteLength() {
      return seen.byteLength + counts.byteLength;
    },
    release() {
      seen.release();
      release(counts);
    },
  };
}

/**
 * Any other aggregate of DISTINCT values: keeps the pairs of group and value, each once, and gives those to `make`'s
 * accumulator at the end. The state is the values themselves.
 */
export function createDistinctValues(make: () => Accumulator, bounds: AccumulatorBounds): Accumulator {
  const pairs = createTupleIndex(2);
  const add = (column: Column, groups: Int32Array) => {
    const kept = groupsOf(column, groups);
    const rows = rowsOf(kept);
    if (rows.length === 0) return;
    const columns =
      rows.length === kept.length ? [int32State(kept), column] : [gather(int32State(kept), rows), gather(column, rows)];
    bounds.addDistinct(pairs.assign(columns, rows.length).fresh.length);
  };
  return {
    update: (columns, groups) => add(argument(columns, 0), groups),
    merge() {},
    save: () => [],
    pairs: {
      *save() {
        for (let from = 0; from < pairs.count; from += PORTION)
          yield pairs.tuples(from, Math.min(pairs.count, from + PORTION));
      },
      merge(portion, groups) {
        const { values } = stateColumn(portion, 0, "int32");
        const [, column] = portion;
        if (column?.length !== values.length) throw new PartialFormatError("distinct values lack their groups");
        const mine = values.map((group) => groups[group] ?? -1);
        if (mine.includes(-1)) throw new PartialFormatError("a distinct value belongs to no group");
        add(column, mine);
      },
      get byteLength() {
        return pairs.byteLength;
      },
    },
    finish(groupCount) {
      const accumulator = make();
      const [groups, column] = pairs.tuples();
      if (groups?.kind === "int32" && column !== undefined) accumulator.update([column], groups.values, groupCount);
      return accumulator.finish(groupCount);
    },
    get byteLength() {
      return pairs.byteLength;
    },
    release: () => pairs.release(),
  };
}

/** A set of more values would not have been saved. */
const MAX_RESERVED = 1 << 20;

/** Pairs that are saved at a time. */
const PORTION = 1 << 14;

function rowsOf(groups: Int32Array): Int32Array {
  const rows = new Int32Array(groups.length);
  let count = 0;
  for (let row = 0; row < groups.length; row++) if (groups[row]! >= 0) rows[count++] = row;
  return rows.subarray(0, count);
}
