/**
 * `substring`, `left` and `right`, by code points; positions count from 1. Where a substring begins outside of its text,
 * DuckDB itself has two answers: it takes another way for a column of whose texts it knows that they are all ASCII, and cuts
 * the beginning off before it counts the length. Here the length always counts from the place that was asked for.
 */
import type { BytesColumn } from "../columns/column.ts";
import { requireKind } from "../columns/column-kind.ts";
import { ModelValueError } from "../ir/errors.ts";
import type { Call } from "../ir/ir.ts";
import { sqlName } from "../ir/ir-types.ts";
import { createBytesWriter } from "./bytes-writer.ts";
import { countCodePoints, skipCodePoints } from "./utf8.ts";
import { argument, type Kernel, mergeNulls, type Unsupported, unsupported } from "./vector.ts";

/** DuckDB refuses positions and lengths beyond 32 bits. */
const MAX_POSITION = 2n ** 32n - 1n;
const MIN_POSITION = -(2n ** 32n);

/** A range of code points, from 0, of a text that has `size` of them; what lies outside of it is cut off. */
type Range = (size: number, row: number) => { readonly from: number; readonly to: number };

function sliceKernel(ranges: (numbers: readonly BigInt64Array[]) => Range): Kernel {
  return (columns, length) => {
    const text = requireKind(argument(columns, 0), "bytes");
    const range = ranges(columns.slice(1).map((column) => requireKind(column, "int64").values));
    const nulls = mergeNulls(columns, length);
    const writer = createBytesWriter(length);
    for (let row = 0; row < length; row++) {
      if (nulls?.[row] !== 1) writeSlice(writer, text, row, range);
      writer.endRow();
    }
    return writer.finish(nulls);
  };
}

function writeSlice(writer: ReturnType<typeof createBytesWriter>, text: BytesColumn, row: number, range: Range): void {
  const { bytes, offsets } = text;
  const start = offsets[row]!;
  const end = offsets[row + 1]!;
  const { from, to } = range(countCodePoints(bytes, start, end), row);
  if (to <= Math.max(0, from)) return;
  const first = skipCodePoints(bytes, start, end, from);
  writer.append(bytes, first, skipCodePoints(bytes, first, end, to - Math.max(0, from)));
}

function takesTextAnd(call: Call, numbers: number): Unsupported | undefined {
  const [text, ...others] = call.args;
  const fits = text?.type.kind === "utf8" && others.every((arg) => arg.type.kind === "int64");
  return fits && others.length <= numbers
    ? undefined
    : unsupported(`${call.name} of (${call.args.map((arg) => sqlName(arg.type)).join(", ")}) is not supported`);
}

function checked(value: bigint, what: string): number {
  if (value > MAX_POSITION || value < MIN_POSITION) {
    throw new ModelValueError(`a substring's ${what} of ${value} is out of the range of 32 bits`);
  }
  return Number(value);
}

/**
 * `substring(text, offset[, length])`. A negative offset counts from the end, an offset of 0 is the place before the
 * first character, and a negative length takes the characters before the offset.
 */
export function bindSubstring(call: Call): Kernel | Unsupported {
  return (
    takesTextAnd(call, 2) ??
    sliceKernel(([offsets, lengths]) => (size, row) => {
      const offset = checked(offsets![row]!, "offset");
      const start = offset < 0 ? size + offset : offset - 1;
      if (lengths === undefined) return { from: start, to: size };
      const length = checked(lengths[row]!, "length");
      return length < 0 ? { from: start + length, to: start } : { from: start, to: start + length };
    })
  );
}

/** `left(text, n)`: the first n characters; with a negative n all but the last -n. */
export function bindLeft(call: Call): Kernel | Unsupported {
  return (
    takesTextAnd(call, 1) ??
    sliceKernel(([counts]) => (size, row) => {
      const count = counts![row]!;
      return { from: 0, to: count < 0 ? size + Number(count) : checked(count, "length") };
    })
  );
}

/** `right(text, n)`: the last n characters; with a negative n all but the first -n. */
export function bindRight(call: Call): Kernel | Unsupported {
  return (
    takesTextAnd(call, 1) ??
    sliceKernel(([counts]) => (size, row) => {
      const count = Number(counts![row]!);
      return { from: count < 0 ? -count : size - count, to: size };
    })
  );
}
