/** Functions over UTF-8 text, on the bytes: DuckDB's semantics, code point by code point. */
import type { BytesColumn, Column } from "../columns/column.ts";
import { requireKind } from "../columns/column-kind.ts";
import type { Call } from "../ir/ir.ts";
import { sqlName } from "../ir/ir-types.ts";
import { createBytesWriter } from "./bytes-writer.ts";
import { lowerCase, upperCase } from "./case-mapping.ts";
import {
  argument,
  boolColumn,
  integerColumn,
  type Kernel,
  mergeNulls,
  type Unsupported,
  unsupported,
} from "./vector.ts";

function requireText(call: Call): Unsupported | undefined {
  const other = call.args.find((arg) => arg.type.kind !== "utf8");
  return other === undefined ? undefined : unsupported(`${call.name} of ${sqlName(other.type)} is not supported`);
}

const text = (columns: readonly Column[], index: number) => requireKind(argument(columns, index), "bytes");

/** The code point whose UTF-8 form begins at `at`: UTF-8 is valid in every column (the gateway refuses anything else). */
function codePointAt(bytes: Uint8Array, at: number): { readonly point: number; readonly size: number } {
  const lead = bytes[at]!;
  const tail = (offset: number) => bytes[at + offset]! & 0x3f;
  if (lead < 0x80) return { point: lead, size: 1 };
  if (lead < 0xe0) return { point: ((lead & 0x1f) << 6) | tail(1), size: 2 };
  if (lead < 0xf0) return { point: ((lead & 0x0f) << 12) | (tail(1) << 6) | tail(2), size: 3 };
  return { point: ((lead & 0x07) << 18) | (tail(1) << 12) | (tail(2) << 6) | tail(3), size: 4 };
}

/** `lower` and `upper` (and `lcase`, `ucase`). */
export function bindLetterCase(call: Call): Kernel | Unsupported {
  const upper = call.name.startsWith("u");
  const mapping = upper ? upperCase : lowerCase;
  const [first, last, shift] = upper ? [0x61, 0x7a, -32] : [0x41, 0x5a, 32];
  return (
    requireText(call) ??
    ((columns, length) => {
      const { bytes, offsets, nulls } = text(columns, 0);
      const writer = createBytesWriter(length);
      for (let row = 0; row < length; row++) {
        const end = nulls?.[row] === 1 ? 0 : offsets[row + 1]!;
        for (let at = offsets[row]!; at < end; ) {
          const { point, size } = codePointAt(bytes, at);
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
    })
  );
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
        if (countsBytes) return BigInt(end - start);
        let points = 0;
        // Every byte but a continuation byte (10xxxxxx) begins a code point.
        for (let at = start; at < end; at++) if ((bytes[at]! & 0xc0) !== 0x80) points++;
        return BigInt(points);
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

function matches(haystack: BytesColumn, at: number, needle: BytesColumn, row: number): boolean {
  const start = needle.offsets[row]!;
  const size = needle.offsets[row + 1]! - start;
  for (let i = 0; i < size; i++) if (haystack.bytes[at + i] !== needle.bytes[start + i]) return false;
  return true;
}

/** `starts_with`, `ends_with`, `contains` (bytes are compared: both sides are valid UTF-8, so it comes to the same). */
export function bindTextSearch(call: Call): Kernel | Unsupported {
  const { name } = call;
  return (
    requireText(call) ??
    ((columns, length) => {
      const haystack = text(columns, 0);
      const needle = text(columns, 1);
      const nulls = mergeNulls(columns, length);
      const values = new Uint8Array(length);
      for (let row = 0; row < length; row++) {
        if (nulls?.[row] === 1) continue;
        const first = haystack.offsets[row]!;
        const last = haystack.offsets[row + 1]! - (needle.offsets[row + 1]! - needle.offsets[row]!);
        if (last < first) continue;
        const from = name === "ends_with" || name === "suffix" ? last : first;
        const to = name === "starts_with" || name === "prefix" || name === "^@" ? first : last;
        for (let at = from; at <= to && values[row] === 0; at++)
          if (matches(haystack, at, needle, row)) values[row] = 1;
      }
      return boolColumn(values, nulls);
    })
  );
}
