/** States of accumulators as columns: arrays are passed on as they are, not copied. */
import type { Column, Float64Column, Int32Column } from "../columns/column.ts";
import { requireKind } from "../columns/column-kind.ts";
import { PartialFormatError } from "../ir/errors.ts";

export function float64State(values: Float64Array): Float64Column {
  return { kind: "float64", type: { kind: "float64" }, length: values.length, nulls: undefined, values };
}

export function int32State(values: Int32Array): Int32Column {
  return { kind: "int32", type: { kind: "int32" }, length: values.length, nulls: undefined, values };
}

export function bytesState(values: Uint8Array): Column {
  return { kind: "bool", type: { kind: "bool" }, length: values.length, nulls: undefined, values };
}

/** Column `at` of a saved state. Throws `PartialFormatError` when there is none, or one of another kind or length. */
export function stateColumn<K extends Column["kind"]>(state: readonly Column[], at: number, kind: K, length?: number) {
  const column = state[at];
  if (column?.kind !== kind || (length !== undefined && column.length !== length)) {
    throw new PartialFormatError(
      `state column ${at} is ${column === undefined ? "missing" : `${column.length} ${column.kind}`}`,
    );
  }
  return requireKind(column, kind);
}
