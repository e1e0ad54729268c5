/** Lists and structs: length, element, field, and the aggregates of a list. */

import type { AccumulatorBounds } from "../aggregates/accumulator.ts";
import { bindAggregate } from "../aggregates/aggregates.ts";
import type { Column } from "../columns/column.ts";
import { requireKind } from "../columns/column-kind.ts";
import { gather, sliceColumn } from "../columns/gather.ts";
import type { Call } from "../ir/ir.ts";
import { isScalar, sameType, sqlName } from "../ir/ir-types.ts";
import { comparator } from "./comparison.ts";
import {
  argument,
  boolColumn,
  integerColumn,
  isUnsupported,
  type Kernel,
  mergeNulls,
  type Unsupported,
  unsupported,
} from "./vector.ts";

/** `len(list)`. */
export const listLength: Kernel = (columns, length) => {
  const { offsets, nulls } = requireKind(argument(columns, 0), "list");
  return integerColumn({ kind: "int64" }, length, nulls, (row) => BigInt(offsets[row + 1]! - offsets[row]!));
};

/** The lists of a batch are in memory already. */
const UNBOUNDED: AccumulatorBounds = { addDistinct() {} };

/** `list_sum`, `list_avg`, `list_min`, `list_max`, `list_count`: the aggregate over each list; null for a null list. */
export function bindListAggregate(call: Call): Kernel | Unsupported {
  const list = call.args[0]?.type;
  if (list?.kind !== "list") return unsupported(`${call.name} needs a list`);
  const bound = bindAggregate(call.name.slice("list_".length), [list.item], call.type, false);
  if (isUnsupported(bound)) return bound;
  return (columns, length) => {
    const { offsets, nulls, item } = requireKind(argument(columns, 0), "list");
    const start = offsets[0]!;
    const owners = new Int32Array(offsets[length]! - start);
    for (let row = 0; row < length; row++) owners.fill(row, offsets[row]! - start, offsets[row + 1]! - start);
    const accumulator = bound(UNBOUNDED);
    accumulator.update([sliceColumn(item, start, start + owners.length)], owners, length);
    const result = accumulator.finish(length);
    return withNulls(result, mergeNulls(nulls === undefined ? [result] : [result, argument(columns, 0)], length));
  };
}

/** `list[i]` with i from 1, negative from the end; null outside. */
export function bindListElement(call: Call): Kernel | Unsupported {
  const [list, position] = call.args;
  if (list?.type.kind !== "list" || position?.type.kind !== "int64") {
    return unsupported(`${call.name} of ${list === undefined ? "nothing" : sqlName(list.type)} is not supported`);
  }
  return (columns, length) => {
    const { offsets, item } = requireKind(argument(columns, 0), "list");
    const positions = requireKind(argument(columns, 1), "int64").values;
    const nulls = mergeNulls(columns, length)?.slice(0, length) ?? new Uint8Array(length);
    const indices = new Int32Array(length);
    for (let row = 0; row < length; row++) {
      const start = offsets[row]!;
      const size = offsets[row + 1]! - start;
      const asked = Number(positions[row]!);
      const at = asked > 0 ? asked - 1 : size + asked;
      if (asked === 0 || at < 0 || at >= size) nulls[row] = 1;
      else if (nulls[row] !== 1) indices[row] = start + at;
    }
    // Null rows point at element 0, which an empty item column does not have.
    if (item.length === 0) return allNull(item, length);
    const picked = gather(item, indices);
    return withNulls(picked, mergeNulls([picked, { nulls }], length));
  };
}

/** `list_contains(list, value)`: whether an element equals the value; null when the list or the value is. */
export function bindListContains(call: Call): Kernel | Unsupported {
  const [list, value] = call.args;
  if (
    list?.type.kind !== "list" ||
    value === undefined ||
    !isScalar(value.type) ||
    !sameType(list.type.item, value.type)
  )
    return unsupported(`${call.name} of (${call.args.map((arg) => sqlName(arg.type)).join(", ")}) is not supported`);
  return (columns, length) => {
    const { offsets, item } = requireKind(argument(columns, 0), "list");
    const compare = comparator(item, argument(columns, 1));
    const nulls = mergeNulls(columns, length);
    const values = new Uint8Array(length);
    for (let row = 0; row < length; row++) {
      const end = nulls?.[row] === 1 ? 0 : offsets[row + 1]!;
      for (let at = offsets[row]!; at < end && values[row] === 0; at++) {
        if (item.nulls?.[at] !== 1 && compare(at, row) === 0) values[row] = 1;
      }
    }
    return boolColumn(values, nulls);
  };
}

/** `struct.field`, by the constant name that DuckDB bound. */
export function bindStructField(call: Call): Kernel | Unsupported {
  const [struct, name] = call.args;
  if (struct?.type.kind !== "struct" || name?.node !== "constant")
    return unsupported(`${call.name} needs a struct and a name`);
  // Names of struct fields are compared without regard to case, as DuckDB does.
  const wanted = String(name.value).toLowerCase();
  const index = struct.type.fields.findIndex((field) => field.name.toLowerCase() === wanted);
  if (index < 0) return unsupported(`the struct has no field ${String(name.value)}`);
  return (columns, length) => {
    const parent = requireKind(argument(columns, 0), "struct");
    const field = argument(parent.fields, index);
    return parent.nulls === undefined ? field : withNulls(field, mergeNulls([parent, field], length));
  };
}

function withNulls(column: Column, nulls: Uint8Array | undefined): Column {
  return { ...column, nulls };
}

/** `length` nulls laid out like `like`, a column without rows. */
function allNull(like: Column, length: number): Column {
  const nulls = new Uint8Array(length).fill(1);
  switch (like.kind) {
    case "bool":
      return { ...like, length, nulls, values: new Uint8Array(length) };
    case "int32":
      return { ...like, length, nulls, values: new Int32Array(length) };
    case "int64":
      return { ...like, length, nulls, values: new BigInt64Array(length) };
    case "int128":
      return { ...like, length, nulls, values: new BigInt64Array(2 * length) };
    case "float64":
      return { ...like, length, nulls, values: new Float64Array(length) };
    case "bytes":
    case "list":
      return { ...like, length, nulls, offsets: new Int32Array(length + 1) };
    case "struct":
      return { ...like, length, nulls, fields: like.fields.map((field) => allNull(field, length)) };
  }
}
