import type { Accumulator } from "../aggregates/accumulator.ts";
import { bindAggregate } from "../aggregates/aggregates.ts";
import type { Column } from "../columns/column.ts";
import { concatColumns, gather } from "../columns/gather.ts";
import { createPairing, createTupleIndex } from "../columns/tuple-index.ts";
import { nullColumn } from "../expressions/casts.ts";
import { prepare, prepareCondition } from "../expressions/prepare.ts";
import { isUnsupported, type Rows } from "../expressions/vector.ts";
import { ModelMismatchError } from "../ir/errors.ts";
import type { Aggregate, Plan } from "../ir/ir.ts";
import type { HeldRows } from "./held-rows.ts";

/** One aggregate of the plan, at work: adds a batch, gives a column at the end. */
interface RunningAggregate {
  add(rows: Rows, groups: Int32Array, groupCount: number): void;
  finish(groupCount: number): Column;
}

/** Hash aggregation: keeps one row of keys and the states per group. Without groups there is one row, even of nothing. */
export async function* aggregateRows(
  plan: Extract<Plan, { node: "aggregate" }>,
  input: AsyncIterable<Rows>,
  held: HeldRows,
): AsyncIterable<Rows> {
  const keys = plan.groups.map(prepare);
  const running = plan.aggregates.map(runAggregate);
  const index = createTupleIndex(keys.length);
  const keyParts: Column[][] = plan.groups.map(({ type }) => [nullColumn(type, 0)]);
  let groupCount = keys.length === 0 ? 1 : 0;
  for await (const rows of input) {
    if (rows.length === 0) continue;
    const columns = keys.map((key) => key(rows));
    let groups = new Int32Array(rows.length);
    if (keys.length > 0) {
      const assigned = index.assign(columns, rows.length);
      groups = Int32Array.from(assigned.groups);
      groupCount = index.count;
      held.check(groupCount);
      if (assigned.fresh.length > 0) {
        // There is one list of parts per key.
        for (const [at, column] of columns.entries()) keyParts[at]!.push(gather(column, assigned.fresh));
      }
    }
    for (const aggregate of running) aggregate.add(rows, groups, groupCount);
  }
  yield {
    columns: [...keyParts.map(concatColumns), ...running.map((aggregate) => aggregate.finish(groupCount))],
    length: groupCount,
  };
}

function runAggregate(aggregate: Aggregate): RunningAggregate {
  const bound = bindAggregate(
    aggregate.name,
    aggregate.args.map((arg) => arg.type),
    aggregate.type,
  );
  if (isUnsupported(bound)) throw new ModelMismatchError(`the model does not fit this version: ${bound.unsupported}`);
  const accumulator: Accumulator = bound();
  const args = aggregate.args.map(prepare);
  const condition = aggregate.filter === null ? undefined : prepareCondition(aggregate.filter);
  const firstTimes = aggregate.distinct ? createFirstTimes(args.length) : undefined;
  return {
    add(rows, groups, groupCount) {
      const columns = args.map((arg) => arg(rows));
      let keep: Uint8Array | undefined;
      if (condition !== undefined) {
        keep = new Uint8Array(rows.length);
        for (const row of condition(rows)) keep[row] = 1;
      }
      if (firstTimes !== undefined) keep = firstTimes(columns, groups, keep);
      accumulator.update(columns, groups, keep, groupCount);
    },
    finish: (groupCount) => accumulator.finish(groupCount),
  };
}

/** For DISTINCT: marks the rows whose (group, value) has not been kept before. */
function createFirstTimes(width: number) {
  const values = createTupleIndex(width);
  const pair = createPairing();
  let seen = 0;
  return (columns: readonly Column[], groups: Int32Array, keep: Uint8Array | undefined): Uint8Array => {
    const first = new Uint8Array(groups.length);
    const { groups: codes } = values.assign(columns, groups.length);
    for (let row = 0; row < groups.length; row++) {
      if (keep?.[row] === 0) continue;
      // Pairs are numbered in order: a new one has the next number. Rows run over `groups` and `codes` alike.
      if (pair(groups[row]!, codes[row]!) === seen) {
        first[row] = 1;
        seen++;
      }
    }
    return first;
  };
}
