import type { Column, ListColumn } from "../columns/column.ts";
import { requireKind } from "../columns/column-kind.ts";
import { gather, sliceColumn } from "../columns/gather.ts";
import type { Expression, ListLambda } from "../ir/ir.ts";
import { columnTypeOf } from "../ir/ir-types.ts";
import { trueRows } from "./row-selection.ts";
import type { Rows } from "./vector.ts";

type Prepare = (expression: Expression) => (rows: Rows) => Column;

/**
 * `list_transform` and `list_filter`: the body runs once over the elements of all lists, beside the captured values
 * repeated for each. A null list stays null; a null element is an element like any other.
 */
export function prepareListLambda(lambda: ListLambda, prepare: Prepare): (rows: Rows) => Column {
  const evaluateList = prepare(lambda.list);
  const captures = lambda.captures.map(prepare);
  const body = prepare(lambda.body);
  const type = columnTypeOf(lambda.type);
  return (rows) => {
    const list = requireKind(evaluateList(rows), "list");
    const { owners, elements, positions } = spread(list);
    const inner: Rows = {
      columns: [
        ...(lambda.indexed ? [positions] : []),
        elements,
        ...captures.map((capture) => gather(capture(rows), owners)),
      ],
      length: owners.length,
    };
    const results = body(inner);
    if (lambda.name === "list_transform") {
      return {
        kind: "list",
        type,
        length: list.length,
        nulls: list.nulls,
        offsets: countOffsets(owners, list.length),
        item: results,
      };
    }
    const verdicts = requireKind(results, "bool");
    const kept = trueRows(verdicts.values, verdicts.nulls, owners.length);
    return {
      kind: "list",
      type,
      length: list.length,
      nulls: list.nulls,
      offsets: countOffsets(gatherOwners(owners, kept), list.length),
      item: gather(elements, kept),
    };
  };
}

/** The elements of the lists that are not null, with the row and the position from 1 of each. */
export function spread(list: ListColumn): { owners: Int32Array; elements: Column; positions: Column } {
  const { offsets, nulls, length } = list;
  const capacity = offsets[length]! - offsets[0]!;
  const owners = new Int32Array(capacity);
  const items = new Int32Array(capacity);
  const values = new BigInt64Array(capacity);
  let count = 0;
  for (let row = 0; row < length; row++) {
    if (nulls?.[row] === 1) continue;
    // A list column has `length + 1` offsets.
    const start = offsets[row]!;
    const end = offsets[row + 1]!;
    for (let at = start; at < end; at++) {
      owners[count] = row;
      items[count] = at;
      values[count++] = BigInt(at - start + 1);
    }
  }
  const dense = count === capacity;
  const elements = dense
    ? sliceColumn(list.item, offsets[0]!, offsets[length]!)
    : gather(list.item, items.subarray(0, count));
  const positions: Column = {
    kind: "int64",
    type: { kind: "int64" },
    length: count,
    nulls: undefined,
    values: values.subarray(0, count),
  };
  return { owners: owners.subarray(0, count), elements, positions };
}

/** Offsets of lists whose elements' rows are `owners`, ascending. */
function countOffsets(owners: Int32Array, length: number): Int32Array {
  const offsets = new Int32Array(length + 1);
  for (const row of owners) offsets[row + 1]!++;
  for (let row = 0; row < length; row++) offsets[row + 1]! += offsets[row]!;
  return offsets;
}

function gatherOwners(owners: Int32Array, kept: Int32Array): Int32Array {
  return kept.map((at) => owners[at]!);
}
