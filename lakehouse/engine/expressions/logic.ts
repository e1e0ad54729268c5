/** NOT, IS [NOT] NULL and the value-picking functions; AND, OR, CASE and COALESCE evaluate lazily, in `conditional.ts`. */
import { requireKind } from "../columns/column-kind.ts";
import type { Call } from "../ir/ir.ts";
import { isScalar, sameType, sqlName } from "../ir/ir-types.ts";
import { comparator } from "./comparison.ts";
import { pickRows } from "./row-selection.ts";
import { argument, boolColumn, type Kernel, type Unsupported, unsupported } from "./vector.ts";

/** `NOT x`: null stays null. */
export function bindNot(call: Call): Kernel | Unsupported {
  if (call.args[0]?.type.kind !== "bool") return unsupported("NOT of a value that is no BOOLEAN is not supported");
  return (columns, length) => {
    const column = requireKind(argument(columns, 0), "bool");
    const values = new Uint8Array(length);
    for (let row = 0; row < length; row++) values[row] = 1 - column.values[row]!;
    return boolColumn(values, column.nulls);
  };
}

/** `x IS NULL` and `x IS NOT NULL`, of any type. */
export function bindIsNull(call: Call): Kernel | Unsupported {
  const whenNull = call.name === "is null" ? 1 : 0;
  return (columns, length) => {
    const { nulls } = argument(columns, 0);
    const values = new Uint8Array(length).fill(1 - whenNull);
    if (nulls !== undefined) {
      for (let row = 0; row < length; row++) if (nulls[row] === 1) values[row] = whenNull;
    }
    return boolColumn(values, undefined);
  };
}

/** `greatest` and `least`: nulls are skipped; null only when every argument is. */
export function bindExtreme(call: Call): Kernel | Unsupported {
  const first = call.args[0];
  if (first === undefined || !isScalar(first.type) || !call.args.every((arg) => sameType(arg.type, first.type))) {
    return unsupported(`${call.name} of (${call.args.map((arg) => sqlName(arg.type)).join(", ")}) is not supported`);
  }
  const wanted = call.name === "greatest" ? 1 : -1;
  return (columns, length) => {
    const choice = new Int32Array(length);
    for (let candidate = 1; candidate < columns.length; candidate++) {
      const challenger = argument(columns, candidate);
      const comparators = columns.map((column) => comparator(challenger, column));
      for (let row = 0; row < length; row++) {
        if (challenger.nulls?.[row] === 1) continue;
        const holder = choice[row]!;
        // `choice` only ever holds indices of `columns`, and `comparators` is as long.
        if (columns[holder]!.nulls?.[row] === 1 || comparators[holder]!(row, row) * wanted > 0) choice[row] = candidate;
      }
    }
    return pickRows(columns, choice);
  };
}
