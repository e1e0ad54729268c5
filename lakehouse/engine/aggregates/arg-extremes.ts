import type { Column } from "../columns/column.ts";
import { createValueStore } from "../columns/create-value-store.ts";
import { argument } from "../expressions/vector.ts";
import { PartialFormatError } from "../ir/errors.ts";
import type { IrType } from "../ir/ir.ts";
import { columnTypeOf } from "../ir/ir-types.ts";
import { type Accumulator, groupsOf } from "./accumulator.ts";

/**
 * `arg_min(value, order...)` and `arg_max`: the value of the row with the smallest or the greatest order. Rows whose value is
 * null do not count, nor with `ofOne` those whose one order is; else (`row(a, b)`) a null in the order is the greatest.
 *
 * Invariant: rows that tie have one value. The compiler lets no other order through: with one, the result would depend on
 * which row came first.
 */
export function createArgExtreme(greatest: boolean, types: readonly IrType[], ofOne: boolean): Accumulator {
  const stores = types.map((type) => createValueStore(columnTypeOf(type)));
  // There is a store for the value, and one for each part of the order.
  const value = stores[0]!;
  const orders = stores.slice(1);

  const wins = (columns: readonly Column[], row: number, group: number): boolean => {
    for (const [at, order] of orders.entries()) {
      const rowNull = columns[at + 1]!.nulls?.[row] === 1;
      const heldNull = order.isNull(group);
      const compared = rowNull || heldNull ? Number(rowNull) - Number(heldNull) : order.compare(row, group);
      if (compared !== 0) return compared > 0 === greatest;
    }
    return false;
  };

  const add = (columns: readonly Column[], groups: Int32Array, groupCount: number) => {
    for (const [at, store] of stores.entries()) {
      store.extend(groupCount);
      store.open(columns[at]!);
    }
    for (let row = 0; row < groups.length; row++) {
      const group = groups[row]!;
      if (group < 0 || !(value.isNull(group) || wins(columns, row, group))) continue;
      for (const [at, store] of stores.entries()) {
        if (columns[at]!.nulls?.[row] === 1) store.setNull(group);
        else store.set(group, row);
      }
    }
  };
  const counted = (columns: readonly Column[], groups: Int32Array) => {
    const ofValue = groupsOf(argument(columns, 0), groups);
    return ofOne ? groupsOf(argument(columns, 1), ofValue) : ofValue;
  };

  return {
    update: (columns, groups, groupCount) => add(columns, counted(columns, groups), groupCount),
    merge(state, groups, groupCount) {
      if (state.length !== stores.length || state.some((column) => column.length !== groups.length)) {
        throw new PartialFormatError("the state of arg_min or arg_max is no value and order a group");
      }
      add(state, counted(state, groups), groupCount);
    },
    save(groupCount) {
      for (const store of stores) store.extend(groupCount);
      return stores.map((store) => store.finish());
    },
    finish(groupCount) {
      value.extend(groupCount);
      return value.finish();
    },
    get byteLength() {
      return stores.reduce((total, store) => total + store.byteLength, 0);
    },
  };
}
