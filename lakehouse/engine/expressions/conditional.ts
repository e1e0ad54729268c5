/**
 * AND, OR, CASE and COALESCE. A later part is evaluated only on the rows that the earlier ones left open, as DuckDB does
 * for CASE and COALESCE, so that `CASE WHEN b <> 0 THEN CAST(a AS INTEGER) END` does not fail on a row it never asks for.
 */
import type { Column } from "../columns/column.ts";
import { requireKind } from "../columns/column-kind.ts";
import type { Case, Coalesce, Conjunction, Expression } from "../ir/ir.ts";
import { columnsUsed } from "./columns-used.ts";
import { assembleRows, selectRows } from "./row-selection.ts";
import { argument, boolColumn, type Rows } from "./vector.ts";

type Prepare = (expression: Expression) => (rows: Rows) => Column;

function everyRow(length: number): Int32Array {
  return Int32Array.from({ length }, (_, row) => row);
}

/** An evaluator that looks only at the given rows. */
function partial(expression: Expression, prepare: Prepare): (rows: Rows, open: Int32Array) => Column {
  const evaluate = prepare(expression);
  const used = columnsUsed(expression);
  return (rows, open) => evaluate(selectRows(rows, open, used));
}

/** Three-valued AND and OR: the deciding value (false, true) wins over null. */
export function prepareConjunction(conjunction: Conjunction, prepare: Prepare): (rows: Rows) => Column {
  const deciding = conjunction.node === "and" ? 0 : 1;
  const parts = conjunction.args.map((arg) => partial(arg, prepare));
  return (rows) => {
    const values = new Uint8Array(rows.length).fill(1 - deciding);
    const nulls = new Uint8Array(rows.length);
    let open = everyRow(rows.length);
    for (const part of parts) {
      if (open.length === 0) break;
      const column = requireKind(part(rows, open), "bool");
      const still = new Int32Array(open.length);
      let count = 0;
      for (let i = 0; i < open.length; i++) {
        // `column` has a row for each open one.
        const row = open[i]!;
        if (column.nulls?.[i] === 1) nulls[row] = 1;
        else if (column.values[i] === deciding) {
          values[row] = deciding;
          nulls[row] = 0;
          continue;
        }
        still[count++] = row;
      }
      open = still.subarray(0, count);
    }
    return boolColumn(values, nulls.includes(1) ? nulls : undefined);
  };
}

/** The first branch whose condition is true (false and null go on), else the otherwise. */
export function prepareCase(expression: Case, prepare: Prepare): (rows: Rows) => Column {
  const branches = expression.branches.map(({ when, result }) => ({
    when: partial(when, prepare),
    result: partial(result, prepare),
  }));
  const otherwise = partial(expression.otherwise, prepare);
  return (rows) => {
    const pieces: Column[] = [];
    const targets: Int32Array[] = [];
    let open = everyRow(rows.length);
    for (const { when, result } of branches) {
      if (open.length === 0) break;
      const condition = requireKind(when(rows, open), "bool");
      const [chosen, rest] = partition(open, (i) => condition.values[i] === 1 && condition.nulls?.[i] !== 1);
      if (chosen.length > 0) {
        pieces.push(result(rows, chosen));
        targets.push(chosen);
      }
      open = rest;
    }
    if (open.length > 0 || pieces.length === 0) {
      pieces.push(otherwise(rows, open));
      targets.push(open);
    }
    return assembleRows(pieces, targets, rows.length);
  };
}

/** The first argument that is not null. */
export function prepareCoalesce(expression: Coalesce, prepare: Prepare): (rows: Rows) => Column {
  const args = expression.args.map((arg) => partial(arg, prepare));
  return (rows) => {
    const pieces: Column[] = [];
    const targets: Int32Array[] = [];
    let open = everyRow(rows.length);
    for (const [index, evaluate] of args.entries()) {
      const column = evaluate(rows, open);
      const last = index === args.length - 1;
      const [settled, rest] = partition(open, (i) => last || column.nulls?.[i] !== 1);
      if (settled.length > 0 || pieces.length === 0) {
        const kept = settled.length === open.length ? column : cut(column, open, settled);
        pieces.push(kept);
        targets.push(settled);
      }
      open = rest;
      if (open.length === 0) break;
    }
    return assembleRows(pieces, targets, rows.length);
  };
}

/** Rows of `column`, which stands for the rows `open`, that are in `settled` (a subsequence of `open`). */
function cut(column: Column, open: Int32Array, settled: Int32Array): Column {
  const positions = new Int32Array(settled.length);
  let next = 0;
  for (let i = 0; i < open.length && next < settled.length; i++) if (open[i] === settled[next]) positions[next++] = i;
  return argument(selectRows({ columns: [column], length: open.length }, positions, new Set([0])).columns, 0);
}

/** Splits `open` by a test on the position within it. */
function partition(open: Int32Array, chosen: (position: number) => boolean): readonly [Int32Array, Int32Array] {
  const yes = new Int32Array(open.length);
  const no = new Int32Array(open.length);
  let yesCount = 0;
  let noCount = 0;
  for (let i = 0; i < open.length; i++) {
    // i runs over the rows of `open`.
    if (chosen(i)) yes[yesCount++] = open[i]!;
    else no[noCount++] = open[i]!;
  }
  return [yes.subarray(0, yesCount), no.subarray(0, noCount)];
}
