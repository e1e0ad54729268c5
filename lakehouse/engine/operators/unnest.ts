import { requireKind } from "../columns/column-kind.ts";
import { gather } from "../columns/gather.ts";
import { spread } from "../expressions/list-lambda.ts";
import { prepare } from "../expressions/prepare.ts";
import type { Rows } from "../expressions/vector.ts";
import type { Plan } from "../ir/ir.ts";

/** A row per element, its columns repeated and the element last; a null or empty list gives no row. */
export async function* unnestRows(
  plan: Extract<Plan, { node: "unnest" }>,
  input: AsyncIterable<Rows>,
): AsyncIterable<Rows> {
  const evaluate = prepare(plan.list);
  for await (const rows of input) {
    const { owners, elements } = spread(requireKind(evaluate(rows), "list"));
    if (owners.length === 0) continue;
    yield { columns: [...rows.columns.map((column) => gather(column, owners)), elements], length: owners.length };
  }
}
