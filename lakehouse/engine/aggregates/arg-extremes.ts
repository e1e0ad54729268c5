import type { Column } from "../columns/column.ts";
import { createValueStore } from "../columns/create-value-store.ts";
import { grown, uint8s } from "../columns/growth.ts";
import { release } from "../columns/release.ts";
import { argument } from "../expressions/vector.ts";
import { PartialFormatError } from "../ir/errors.ts";
import type { IrType } from "../ir/ir.ts";
import { columnTypeOf } from "../ir/ir-types.ts";
import { type Accumulator, groupsOf } from "./accumulator.ts";
import { bytesState, stateColumn } from "./state-columns.ts";

/** How a part of the order is compared: which value wins, and whether a null is the greatest or the smallest of them. */
export interface OrderPart {
  readonly greatestWins: boolean;
  readonly nullIsGreatest: boolean;
}

/**
 * The value of the row that comes first by an order: `arg_min(value, order)`, `arg_max`, and `row_number() = 1`. The columns
 * are the value and a part of the order each. The first `notNull` of them are not null in rows that count.
 *
 * Invariant: rows that tie have one value. The compiler lets no other order through: with one, the result would depend on
 * which row came first.
 */
export function createArgExtreme(
  parts: readonly OrderPart[],
  types: readonly IrType[],
  notNull: 0 | 1 | 2,
): Accumulator {
  const stores = types.map((type) => createValueStore(columnTypeOf(type)));
  // There is a store for the value, and one for each part of the order.
  const value = stores[0]!;
  /** 1 for groups that have a row. */
  let seen = uint8s(0);

  const wins = (columns: readonly Column[], row: number, group: number): boolean => {
    for (const [at, part] of parts.entries()) {
      const order = stores[at + 1]!;
      const rowNull = columns[at + 1]!.nulls?.[row] === 1;
      const heldNull = order.isNull(group);
      const nulls = (Number(rowNull) - Number(heldNull)) * (part.nullIsGreatest ? 1 : -1);
      const compared = rowNull || heldNull ? nulls : order.compare(row, group);
      if (compared !== 0) return compared > 0 === part.greatestWins;
    }
    return false;
  };

  const add = (columns: readonly Column[], groups: Int32Array, groupCount: number) => {
    seen = grown(seen, groupCount, uint8s);
    for (const [at, store] of stores.entries()) {
      store.extend(groupCount);
      store.open(columns[at]!);
    }
    for (let row = 0; row < groups.length; row++) {
      const group = groups[row]!;
      if (group < 0 || (seen[group] === 1 && !wins(columns, row, group))) continue;
      seen[group] = 1;
      for (const [at, store] of stores.entries()) {
        if (columns[at]!.nulls?.[row] === 1) store.setNull(group);
        else store.set(group, row);
      }
    }
  };

  return {
    update(columns, groups, groupCount) {
      let counted = groups;
      for (let at = 0; at < notNull; at++) counted = groupsOf(argument(columns, at), counted);
      add(columns, counted, groupCount);
    },
    merge(state, groups, groupCount) {
      const { values: had } = stateColumn(state, stores.length, "bool", groups.length);
      if (state.some((column) => column.length !== groups.length)) {
        throw new PartialFormatError("the state of arg_min or arg_max is no value and order a group");
      }
      add(
        state,
        groups.map((group, at) => (had[at] === 1 ? group : -1)),
        groupCount,
      );
    },
    save(from, to) {
      seen = grown(seen, to, uint8s);
      for (const store of stores) store.extend(to);
      return [...stores.map((store) => store.finish(from, to)), bytesState(seen.subarray(from, to))];
    },
    finish(groupCount) {
      value.extend(groupCount);
      return value.finish();
    },
    get byteLength() {
      return stores.reduce((total, store) => total + store.byteLength, seen.byteLength);
    },
    release() {
      release(seen);
      for (const store of stores) store.release();
    },
  };
}
