import type { Column } from "../columns/column.ts";
import { sliceColumn } from "../columns/gather.ts";
import type { Constant } from "../ir/ir.ts";
import { sqlName } from "../ir/ir-types.ts";
import { createBytesWriter } from "./bytes-writer.ts";
import { nullColumn } from "./casts.ts";
import { intervalColumn, intervalOfText } from "./intervals.ts";
import { boolColumn, float64Column, integerColumn } from "./vector.ts";

/** A literal as a column of any length: one column is kept and cut, and made longer when a longer batch comes. */
export function constantColumn(constant: Constant): (length: number) => Column {
  let kept: Column | undefined;
  return (length) => {
    if (kept === undefined || kept.length < length) kept = repeat(constant, length);
    return sliceColumn(kept, 0, length);
  };
}

function repeat({ value, type }: Constant, length: number): Column {
  if (value === null) return nullColumn(type, length);
  switch (type.kind) {
    case "bool":
      return boolColumn(new Uint8Array(length).fill(value === true ? 1 : 0), undefined);
    case "float64":
      return float64Column(new Float64Array(length).fill(Number(value)), undefined);
    case "utf8": {
      const writer = createBytesWriter(length);
      for (let row = 0; row < length; row++) {
        writer.appendText(String(value));
        writer.endRow();
      }
      return writer.finish(undefined);
    }
    case "interval": {
      const interval = intervalOfText(String(value));
      return intervalColumn(length, undefined, () => interval);
    }
    case "binary":
    case "list":
    case "struct":
      throw new TypeError(`a constant of type ${sqlName(type)} is not supported`);
    default: {
      const exact = BigInt(value);
      return integerColumn(type, length, undefined, () => exact);
    }
  }
}
