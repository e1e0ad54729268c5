/** Functions over UTF-8 text, on the bytes: DuckDB's semantics, code point by code point. */
import type { BytesColumn, Column } from "../columns/column.ts";
import { requireKind } from "../columns/column-kind.ts";
import type { Call } from "../ir/ir.ts";
import { sqlName } from "../ir/ir-types.ts";
import { createBytesWriter } from "./bytes-writer.ts";
import { lowerCase, upperCase } from "./case-mapping.ts";
import { createFinder } from "./text-find.ts";
import { codePointAt, codePointSize, countCodePoints } from "./utf8.ts";
import {
  argument,
  boolColumn,
  integerColumn,
  type Kernel,
  mergeNulls,
  type Unsupported,
  unsupported,
} from "./vector.ts";

/** Why a call is not supported whose arguments are not all text. */
export function requireText(call: Call): Unsupported | undefined {
  const other = call.args.find((arg) => arg.type.kind !== "utf8");
  return other === undefined ? undefined : unsupported(`${call.name} of ${sqlName(other.type)} is not supported`);
}

const text = (columns: readonly Column[], index: number) => requireKind(argument(columns, index), "bytes");

/** `lower` and `upper` (and `lcase`, `ucase`). */
export function bindLetterCase(call: Call): Kernel | Unsupported {
  return requireText(call) ?? letterCaseKernel(call.name.startsWith("u"));
}

/** Maps each code point of the one argument to its upper or its lower case. */
export function letterCaseKernel(upper: boolean): Kernel {
  const mapping = upper ? upperCase : lowerCase;
  const [first, last, shift] = upper ? [0x61, 0x7a, -32] : [0x41, 0x5a, 32];
  return (columns, length) => {
    const { bytes, offsets, nulls } = text(columns, 0);
    const writer = createBytesWriter(length);
    for (let row = 0; row < length; row++) {
      const end = nulls?.[row] === 1 ? 0 : offsets[row + 1]!;
      for (let at = offsets[row]!; at < end; ) {
        const point = codePointAt(bytes, at);
        const size = codePointSize(bytes[at]!);
        if (size === 1) writer.appendByte(point >= first && point <= last ? point + shift : point);
        else {
          const mapped = mapping.get(point);
          if (mapped === undefined) writer.append(bytes, at, at + size);
          else writer.appendText(String.fromCodePoint(mapped));
        }
        at += size;
      }
      writer.endRow();
    }
    return writer.finish(nulls);
  };
}

/** `length` (code points) and `strlen` (bytes) of text; `length` of a list is the binder's other overload. */
export function bindTextLength(call: Call): Kernel | Unsupported {
  const countsBytes = call.name === "strlen";
  return (
    requireText(call) ??
    ((columns, length) => {
      const { bytes, offsets, nulls } = text(columns, 0);
      return integerColumn(call.type, length, nulls, (row) => {
        const start = offsets[row]!;
        const end = offsets[row + 1]!;
        return BigInt(countsBytes ? end - start : countCodePoints(bytes, start, end));
      });
    })
  );
}

/** `||` is null when a side is; `concat` skips nulls. */
export function bindConcat(call: Call): Kernel | Unsupported {
  const skipsNulls = call.name === "concat";
  return (
    requireText(call) ??
    ((columns, length) => {
      const parts = columns.map((column) => requireKind(column, "bytes"));
      const nulls = skipsNulls ? undefined : mergeNulls(columns, length);
      const writer = createBytesWriter(length);
      for (let row = 0; row < length; row++) {
        if (nulls?.[row] !== 1) {
          for (const part of parts) {
            if (part.nulls?.[row] !== 1) writer.append(part.bytes, part.offsets[row]!, part.offsets[row + 1]!);
          }
        }
        writer.endRow();
      }
      return writer.finish(nulls);
    })
  );
}

/** Whether `needle[row]` stands in `haystack[row]` at `at`. */
function standsAt(haystack: BytesColumn, at: number, needle: BytesColumn, row: number): boolean {
  const start = needle.offsets[row]!;
  const size = needle.offsets[row + 1]! - start;
  for (let i = 0; i < size; i++) if (haystack.bytes[at + i] !== needle.bytes[start + i]) return false;
  return true;
}

/** `starts_with`, `ends_with`, `contains` (bytes are compared: both sides are valid UTF-8, so it comes to the same). */
export function bindTextSearch(call: Call): Kernel | Unsupported {
  const { name } = call;
  const atEnd = name === "ends_with" || name === "suffix";
  const find = name === "contains" ? createFinder() : undefined;
  return (
    requireText(call) ??
    ((columns, length) => {
      const haystack = text(columns, 0);
      const needle = text(columns, 1);
      const nulls = mergeNulls(columns, length);
      const values = new Uint8Array(length);
      for (let row = 0; row < length; row++) {
        if (nulls?.[row] === 1) continue;
        const [from, to] = [haystack.offsets[row]!, haystack.offsets[row + 1]!];
        const [start, end] = [needle.offsets[row]!, needle.offsets[row + 1]!];
        if (to - from < end - start) continue;
        const found =
          find === undefined
            ? standsAt(haystack, atEnd ? to - (end - start) : from, needle, row)
            : find(haystack.bytes, from, to, needle.bytes.subarray(start, end)) >= 0;
        if (found) values[row] = 1;
      }
      return boolColumn(values, nulls);
    })
  );
}
