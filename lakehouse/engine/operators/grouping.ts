import type { Accumulator } from "../aggregates/accumulator.ts";
import { bindAggregate } from "../aggregates/aggregates.ts";
import type { PartialGroups, PartialPart } from "../aggregates/partial-groups.ts";
import type { Column } from "../columns/column.ts";
import { grown, int32s } from "../columns/growth.ts";
import { createTupleIndex } from "../columns/tuple-index.ts";
import { nullColumn } from "../expressions/casts.ts";
import { prepare, prepareCondition } from "../expressions/prepare.ts";
import { isUnsupported, type Rows } from "../expressions/vector.ts";
import { ModelMismatchError, PartialFormatError } from "../ir/errors.ts";
import type { Aggregate, IrType, Plan } from "../ir/ir.ts";
import { sqlName } from "../ir/ir-types.ts";
import type { HeldRows, HeldUse } from "./held-rows.ts";
import { outputTypes } from "./output-types.ts";

export type GroupingPlan = Extract<Plan, { node: "aggregate" }>;

/** DISTINCT is a grouping by all columns, without aggregates. */
export function distinctAsGrouping(plan: Extract<Plan, { node: "distinct" }>): GroupingPlan {
  const groups = outputTypes(plan.input).map((type, index) => ({ node: "column" as const, index, type }));
  return { node: "aggregate", input: plan.input, groups, aggregates: [] };
}

/** Hash aggregation over any number of batches and of partial results of other runs, in any order. */
export interface Grouping {
  add(rows: Rows): void;
  /** For the parts of one saved state, in their order. */
  merger(): (part: PartialPart) => void;
  /** The state, in parts of some megabyte. Their columns may be views of arrays that a later `add` or `merger` writes to or frees. */
  save(): Iterable<PartialPart>;
  /** The groups' columns, then the aggregates'. Without group columns there is one row, even of nothing. The last call: it frees the state. */
  finish(): Rows;
  /** Bytes that groups and states take. */
  readonly byteLength: number;
  /** Frees the state: the last call, where the result is not asked for. */
  release(): void;
}

/** Throws `ModelTooLargeError` by `held`, and `ModelMismatchError` when this code lacks one of the aggregates. */
export function createGrouping(plan: GroupingPlan, held: HeldRows): Grouping {
  const keys = plan.groups.map(prepare);
  const running = plan.aggregates.map((aggregate) => runAggregate(aggregate, held));
  const hold = held.account();
  const index = createTupleIndex(keys.length);
  let groupCount = keys.length === 0 ? 1 : 0;

  const assign = (columns: readonly Column[], length: number): Int32Array => {
    if (keys.length === 0) return int32s(length);
    const { groups } = index.assign(columns, length);
    groupCount = index.count;
    held.checkGroups(groupCount);
    return groups;
  };
  const keyColumns = (from: number, to: number) =>
    index.count === 0 ? plan.groups.map(({ type }) => nullColumn(type, 0)) : index.tuples(from, to);
  const byteLength = () => running.reduce((total, { accumulator }) => total + accumulator.byteLength, index.byteLength);
  // The result is held beside the state that it is made of, and then once more while it is sorted.
  const uses = () => [
    { bytes: 2 * index.byteLength, what: "the keys", remedy: KEYS_REMEDY },
    ...running.map(({ use, result, accumulator: { byteLength } }) => ({
      ...use,
      bytes: byteLength + (result === "text" ? byteLength : 2 * result * groupCount),
    })),
  ];
  const noteHeld = () =>
    hold(
      uses().reduce((total, { bytes }) => total + bytes, 0),
      () => largestOf(groupCount, uses()),
    );
  const mergeGroups = ({ keys: values, groups: count, states }: PartialGroups): Int32Array => {
    if (values.length !== keys.length || states.length !== running.length)
      throw new PartialFormatError("a partial result is of another aggregation");
    const groups = assign(values, count);
    for (const [at, { accumulator }] of running.entries()) {
      // There is a state per aggregate.
      accumulator.merge(states[at]!, groups, groupCount);
    }
    return groups;
  };

  return {
    add(rows) {
      if (rows.length === 0) return;
      const groups = assign(
        keys.map((key) => key(rows)),
        rows.length,
      );
      for (const aggregate of running) aggregate.add(rows, groups, groupCount);
      noteHeld();
    },
    merger() {
      // The saved groups' numbers here.
      let numbers = int32s(0);
      let known = 0;
      return (part) => {
        if (part.kind === "groups") {
          const groups = mergeGroups(part);
          numbers = grown(numbers, known + groups.length, int32s);
          numbers.set(groups, known);
          known += groups.length;
        } else {
          const pairs = running[part.aggregate]?.accumulator.pairs;
          if (pairs === undefined) throw new PartialFormatError("a partial result is of another aggregation");
          pairs.merge(part.portion, numbers.subarray(0, known), groupCount);
        }
        noteHeld();
      };
    },
    *save() {
      const bytes = running.reduce(
        (total, { accumulator }) => total + accumulator.byteLength - (accumulator.pairs?.byteLength ?? 0),
        index.byteLength,
      );
      const portion = Math.max(1, Math.floor((PART_BYTES * groupCount) / Math.max(1, bytes)));
      for (let from = 0; from === 0 || from < groupCount; from += portion) {
        const to = Math.min(groupCount, from + portion);
        const states = running.map(({ accumulator }) => accumulator.save(from, to));
        yield { kind: "groups", groups: to - from, keys: keyColumns(from, to), states };
      }
      for (const [aggregate, { accumulator }] of running.entries())
        for (const columns of accumulator.pairs?.save() ?? []) yield { kind: "pairs", aggregate, portion: columns };
    },
    finish() {
      const keyed = keyColumns(0, groupCount);
      index.release();
      const results = running.map(({ accumulator }) => {
        const column = accumulator.finish(groupCount);
        accumulator.release();
        return column;
      });
      hold(0, () => largestOf(0, uses()));
      return { columns: [...keyed, ...results], length: groupCount };
    },
    get byteLength() {
      return byteLength();
    },
    release() {
      index.release();
      for (const { accumulator } of running) accumulator.release();
    },
  };
}

/** A part of a saved state takes about so many bytes. */
const PART_BYTES = 1024 * 1024;

function runAggregate(aggregate: Aggregate, held: HeldRows) {
  const { name, type, distinct } = aggregate;
  const bound = bindAggregate(
    name,
    aggregate.args.map((arg) => arg.type),
    type,
    distinct,
    aggregate.order,
  );
  if (isUnsupported(bound)) throw new ModelMismatchError(`the model does not fit this version: ${bound.unsupported}`);
  const accumulator: Accumulator = bound(held);
  const args = aggregate.args.map(prepare);
  const condition = aggregate.filter === null ? undefined : prepareCondition(aggregate.filter);
  const argument = aggregate.args[0]?.type;
  return {
    accumulator,
    use: {
      what: `${name}(${distinct ? "DISTINCT " : ""}${argument === undefined ? "*" : sqlName(argument)})`,
      remedy: remedyOf(argument, type, distinct),
    },
    result: resultBytes(type),
    add(rows: Rows, groups: Int32Array, groupCount: number): void {
      const columns = args.map((arg) => arg(rows));
      accumulator.update(columns, condition === undefined ? groups : chosen(groups, condition(rows)), groupCount);
    },
  };
}

const KEYS_REMEDY = "group by fewer columns, or by shorter or coarser values";

/** Bytes of a value of the result; a text's are those of the state. */
function resultBytes({ kind }: IrType): number | "text" {
  switch (kind) {
    case "utf8":
    case "binary":
      return "text";
    case "hugeint":
    case "decimal":
    case "interval":
      return 16;
    default:
      return 8;
  }
}

function remedyOf(argument: IrType | undefined, type: IrType, distinct: boolean): string {
  if (distinct) return "take fewer distinct values, such as those of a coarser column";
  if (argument?.kind === "float64")
    return "cast to a DECIMAL first: a sum of doubles is exact, and takes up to 540 bytes a group where their sizes differ widely";
  if (resultBytes(type) === "text") return "take it of a shorter column, or group by fewer or coarser values";
  return "group by fewer or coarser values, or give some of the aggregates a model of their own";
}

/** What holds the most of what there is. */
function largestOf(groups: number, parts: readonly (HeldUse & { readonly bytes: number })[]): HeldUse {
  const [largest] = parts.toSorted((a, b) => b.bytes - a.bytes);
  // The keys are one of the parts.
  const { bytes, what, remedy } = largest!;
  return { what: `${bytes} of them are for ${what} of ${groups} groups`, remedy };
}

/** The groups of the chosen rows; -1 for the others. */
function chosen(groups: Int32Array, rows: Int32Array): Int32Array {
  const kept = int32s(groups.length).fill(-1);
  // Rows run over `groups`.
  for (const row of rows) kept[row] = groups[row]!;
  return kept;
}
