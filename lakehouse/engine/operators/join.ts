import type { Column } from "../columns/column.ts";
import { gather } from "../columns/gather.ts";
import { rowBytes } from "../columns/row-bytes.ts";
import { nullColumn } from "../expressions/casts.ts";
import { prepare, prepareCondition } from "../expressions/prepare.ts";
import { selectRows } from "../expressions/row-selection.ts";
import { boolColumn, type Rows } from "../expressions/vector.ts";
import type { Plan } from "../ir/ir.ts";
import type { HeldRows } from "./held-rows.ts";
import { createLookup, type Lookup } from "./lookup.ts";
import { outputTypes } from "./output-types.ts";
import { isFull, PORTION_ROWS } from "./portions.ts";

type JoinPlan = Extract<Plan, { node: "join" }>;

/** Rows of the left side with rows of the right one: row i of each belong together. */
interface Pairs {
  readonly left: Int32Array;
  readonly right: Int32Array;
}

/**
 * Joins the left side, batch by batch, to the right one, which is held whole within the bounds of `held`. Keys that are
 * null have no partner. A row's partners come in the order of the right side, and rows without any last in their batch.
 */
export async function* joinRows(
  plan: JoinPlan,
  left: AsyncIterable<Rows>,
  right: AsyncIterable<Rows>,
  held: HeldRows,
): AsyncIterable<Rows> {
  const lookup = await createLookup(plan, right, held);
  const keys = plan.keys.map((key) => prepare(key.left));
  const residual = plan.residual === null ? undefined : prepareCondition(plan.residual);
  const rightTypes = outputTypes(plan.right);
  const rightBytes = rowBytes(lookup.columns, lookup.length);
  for await (const rows of left) {
    if (rows.length === 0) continue;
    const probe = lookup.probe(
      keys.map((key) => key(rows)),
      rows.length,
    );
    if (plan.kind === "mark") {
      yield { columns: [...rows.columns, markColumn(lookup, probe, rows.length)], length: rows.length };
      continue;
    }
    const matched = new Uint8Array(rows.length);
    for (const pairs of pairsOf(lookup, probe, rowBytes(rows.columns, rows.length), rightBytes)) {
      let joined: Rows | undefined;
      let kept = pairs;
      if (residual !== undefined) {
        joined = joinedRows(rows, lookup, pairs);
        const chosen = residual(joined);
        joined = selectRows(joined, chosen, new Set(joined.columns.keys()));
        kept = { left: chosen.map((at) => pairs.left[at]!), right: chosen.map((at) => pairs.right[at]!) };
      }
      for (const row of kept.left) matched[row] = 1;
      if ((plan.kind === "inner" || plan.kind === "left") && kept.left.length > 0) {
        yield joined ?? joinedRows(rows, lookup, kept);
      }
    }
    if (plan.kind === "inner") continue;
    const rest = rowsWhere(matched, plan.kind === "semi" ? 1 : 0);
    if (rest.length === 0) continue;
    const alone = selectRows(rows, rest, new Set(rows.columns.keys()));
    yield plan.kind === "left"
      ? { columns: [...alone.columns, ...rightTypes.map((type) => nullColumn(type, rest.length))], length: rest.length }
      : alone;
  }
}

/** The pairs of a batch, in portions: many rows of the right side may have the key of one of the left. The bytes are those of each side's rows. */
function* pairsOf(
  lookup: Lookup,
  probe: Int32Array,
  leftBytes: Float64Array,
  rightBytes: Float64Array,
): Iterable<Pairs> {
  let left = new Int32Array(PORTION_ROWS);
  let right = new Int32Array(PORTION_ROWS);
  let count = 0;
  let bytes = 0;
  for (let row = 0; row < leftBytes.length; row++) {
    for (let partner = probe[row]!; partner >= 0; partner = lookup.next(partner)) {
      left[count] = row;
      right[count++] = partner;
      bytes += leftBytes[row]! + rightBytes[partner]!;
      if (!isFull(count, bytes)) continue;
      yield { left: left.subarray(0, count), right: right.subarray(0, count) };
      left = new Int32Array(PORTION_ROWS);
      right = new Int32Array(PORTION_ROWS);
      count = 0;
      bytes = 0;
    }
  }
  if (count > 0) yield { left: left.subarray(0, count), right: right.subarray(0, count) };
}

function joinedRows(rows: Rows, lookup: Lookup, { left, right }: Pairs): Rows {
  return {
    columns: [
      ...rows.columns.map((column) => gather(column, left)),
      ...lookup.columns.map((column) => gather(column, right)),
    ],
    length: left.length,
  };
}

function rowsWhere(flags: Uint8Array, wanted: 0 | 1): Int32Array {
  const rows = new Int32Array(flags.length);
  let count = 0;
  for (let row = 0; row < flags.length; row++) if (flags[row] === wanted) rows[count++] = row;
  return rows.subarray(0, count);
}

/** `x IN (SELECT ...)`: true with a partner; else null when the key or one of the right side is, unless that side is empty. */
function markColumn(lookup: Lookup, probe: Int32Array, length: number): Column {
  const values = new Uint8Array(length);
  const nulls = new Uint8Array(length);
  for (let row = 0; row < length; row++) {
    if (probe[row]! >= 0) values[row] = 1;
    else if (lookup.length > 0 && (lookup.hasNullKey || probe[row] === lookup.nullKey)) nulls[row] = 1;
  }
  return boolColumn(values, nulls.includes(1) ? nulls : undefined);
}
