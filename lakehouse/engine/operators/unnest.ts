import { requireKind } from "../columns/column-kind.ts";
import { gather, sliceColumn } from "../columns/gather.ts";
import { rowBytes } from "../columns/row-bytes.ts";
import { spread } from "../expressions/list-lambda.ts";
import { prepare } from "../expressions/prepare.ts";
import type { Rows } from "../expressions/vector.ts";
import type { Plan } from "../ir/ir.ts";
import { isFull } from "./portions.ts";

/** A row per element, its columns repeated and the element last, in batches of bounded size; a null or empty list gives no row. */
export async function* unnestRows(
  plan: Extract<Plan, { node: "unnest" }>,
  input: AsyncIterable<Rows>,
): AsyncIterable<Rows> {
  const evaluate = prepare(plan.list);
  for await (const rows of input) {
    const { owners, elements } = spread(requireKind(evaluate(rows), "list"));
    for (const [start, end] of portionsOf(owners, rowBytes(rows.columns, rows.length))) {
      const own = owners.subarray(start, end);
      const columns = [...rows.columns.map((column) => gather(column, own)), sliceColumn(elements, start, end)];
      yield { columns, length: own.length };
    }
  }
}

/** Where the batches of rows `owners`, whose bytes are `sizes` by owner, begin and end. */
function* portionsOf(owners: Int32Array, sizes: Float64Array): Iterable<readonly [start: number, end: number]> {
  let start = 0;
  let bytes = 0;
  for (let at = 0; at < owners.length; at++) {
    bytes += sizes[owners[at]!]!;
    if (!isFull(at + 1 - start, bytes)) continue;
    yield [start, at + 1];
    start = at + 1;
    bytes = 0;
  }
  if (start < owners.length) yield [start, owners.length];
}
