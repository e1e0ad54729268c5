import type { Column } from "../columns/column.ts";
import { createValueStore } from "../columns/create-value-store.ts";
import { argument } from "../expressions/vector.ts";
import { PartialFormatError } from "../ir/errors.ts";
import type { IrType } from "../ir/ir.ts";
import { columnTypeOf } from "../ir/ir-types.ts";
import { type Accumulator, groupsOf } from "./accumulator.ts";

/** `min` and `max` of any scalar type, in the order of comparisons: a value per group, replaced in its place. */
export function createExtreme(greatest: boolean, type: IrType): Accumulator {
  const best = createValueStore(columnTypeOf(type));
  const add = (column: Column, groups: Int32Array, groupCount: number) => {
    best.extend(groupCount);
    best.open(column);
    for (let row = 0; row < groups.length; row++) {
      const group = groups[row]!;
      if (group < 0) continue;
      if (!best.isNull(group)) {
        const order = best.compare(row, group);
        if (greatest ? order <= 0 : order >= 0) continue;
      }
      best.set(group, row);
    }
  };
  return {
    update: (columns, groups, groupCount) => {
      const column = argument(columns, 0);
      add(column, groupsOf(column, groups), groupCount);
    },
    merge(state, groups, groupCount) {
      const [column] = state;
      if (column?.length !== groups.length) throw new PartialFormatError("the state of an extreme is no value a group");
      add(column, groupsOf(column, groups), groupCount);
    },
    save(from, to) {
      best.extend(to);
      return [best.finish(from, to)];
    },
    finish(groupCount) {
      best.extend(groupCount);
      return best.finish();
    },
    get byteLength() {
      return best.byteLength;
    },
    release: () => best.release(),
  };
}
