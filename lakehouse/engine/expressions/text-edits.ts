/** `trim`, `replace`, `strpos`, `concat_ws` and `string_split` (of which DuckDB makes `split_part`). */
import type { BytesColumn, Column } from "../columns/column.ts";
import { requireKind } from "../columns/column-kind.ts";
import type { Call } from "../ir/ir.ts";
import { columnTypeOf } from "../ir/ir-types.ts";
import { type BytesWriter, createBytesWriter } from "./bytes-writer.ts";
import { requireText } from "./strings.ts";
import { createFinder } from "./text-find.ts";
import { codePointAt, codePointSize, countCodePoints, previousCodePoint } from "./utf8.ts";
import { argument, integerColumn, type Kernel, mergeNulls, type Unsupported } from "./vector.ts";

/** Unicode's space separators (category Zs): what `trim(text)` takes off. Tabs and line ends are not among them. */
const SPACES: ReadonlySet<number> = new Set([
  0x20, 0xa0, 0x1680, 0x2000, 0x2001, 0x2002, 0x2003, 0x2004, 0x2005, 0x2006, 0x2007, 0x2008, 0x2009, 0x200a, 0x202f,
  0x205f, 0x3000,
]);

const text = (columns: readonly Column[], index: number) => requireKind(argument(columns, index), "bytes");

function rowBytes({ bytes, offsets }: BytesColumn, row: number): Uint8Array {
  return bytes.subarray(offsets[row]!, offsets[row + 1]!);
}

/** A kernel that writes each row where no argument is null. */
function writeRows(write: (writer: BytesWriter, columns: readonly BytesColumn[], row: number) => void): Kernel {
  return (columns, length) => {
    const texts = columns.map((column) => requireKind(column, "bytes"));
    const nulls = mergeNulls(columns, length);
    const writer = createBytesWriter(length);
    for (let row = 0; row < length; row++) {
      if (nulls?.[row] !== 1) write(writer, texts, row);
      writer.endRow();
    }
    return writer.finish(nulls);
  };
}

/** `trim`, `ltrim` and `rtrim`, of spaces or of the characters in the second argument. */
export function bindTrim(call: Call): Kernel | Unsupported {
  const atStart = call.name !== "rtrim";
  const atEnd = call.name !== "ltrim";
  return (
    requireText(call) ??
    writeRows((writer, [source, characters], row) => {
      const { bytes, offsets } = source!;
      const dropped = characters === undefined ? SPACES : codePoints(characters, row);
      let start = offsets[row]!;
      let end = offsets[row + 1]!;
      while (atStart && start < end && dropped.has(codePointAt(bytes, start))) start += codePointSize(bytes[start]!);
      while (atEnd && start < end) {
        const last = previousCodePoint(bytes, start, end);
        if (!dropped.has(codePointAt(bytes, last))) break;
        end = last;
      }
      writer.append(bytes, start, end);
    })
  );
}

function codePoints({ bytes, offsets }: BytesColumn, row: number): ReadonlySet<number> {
  const points = new Set<number>();
  for (let at = offsets[row]!; at < offsets[row + 1]!; at += codePointSize(bytes[at]!))
    points.add(codePointAt(bytes, at));
  return points;
}

/** `replace(text, old, new)`: every occurrence, from the left, not overlapping; an empty `old` is nowhere. */
export function bindReplace(call: Call): Kernel | Unsupported {
  const find = createFinder();
  return (
    requireText(call) ??
    writeRows((writer, [source, old, replacement], row) => {
      const { bytes, offsets } = source!;
      const end = offsets[row + 1]!;
      const needle = rowBytes(old!, row);
      let from = offsets[row]!;
      for (let at = -1; needle.length > 0; from = at + needle.length) {
        at = find(bytes, from, end, needle);
        if (at < 0) break;
        writer.append(bytes, from, at);
        writer.append(replacement!.bytes, replacement!.offsets[row]!, replacement!.offsets[row + 1]!);
      }
      writer.append(bytes, from, end);
    })
  );
}

/** `strpos(text, needle)` (and `instr`, `position`): the first place by code points, from 1; 0 if there is none. */
export function bindPosition(call: Call): Kernel | Unsupported {
  const find = createFinder();
  return (
    requireText(call) ??
    ((columns, length) => {
      const { bytes, offsets } = text(columns, 0);
      const needle = text(columns, 1);
      return integerColumn(call.type, length, mergeNulls(columns, length), (row) => {
        const start = offsets[row]!;
        const at = find(bytes, start, offsets[row + 1]!, rowBytes(needle, row));
        return at < 0 ? 0n : BigInt(countCodePoints(bytes, start, at) + 1);
      });
    })
  );
}

/** `concat_ws(separator, ...)`: nulls are left out; null only when the separator is. */
export function bindConcatWith(call: Call): Kernel | Unsupported {
  return (
    requireText(call) ??
    ((columns, length) => {
      const [separator, ...parts] = columns.map((column) => requireKind(column, "bytes"));
      const nulls = separator!.nulls;
      const writer = createBytesWriter(length);
      for (let row = 0; row < length; row++) {
        let first = true;
        for (const part of nulls?.[row] === 1 ? [] : parts) {
          if (part.nulls?.[row] === 1) continue;
          if (!first) writer.append(separator!.bytes, separator!.offsets[row]!, separator!.offsets[row + 1]!);
          writer.append(part.bytes, part.offsets[row]!, part.offsets[row + 1]!);
          first = false;
        }
        writer.endRow();
      }
      return writer.finish(nulls);
    })
  );
}

/**
 * `string_split(text, separator)`: the parts between separators. An empty separator gives the characters, a null one the
 * whole text as the only part.
 */
export function bindSplit(call: Call): Kernel | Unsupported {
  const find = createFinder();
  return (
    requireText(call) ??
    ((columns, length) => {
      const source = text(columns, 0);
      const separators = text(columns, 1);
      const { nulls } = source;
      const cuts: number[] = [];
      const offsets = new Int32Array(length + 1);
      for (let row = 0; row < length; row++) {
        if (nulls?.[row] !== 1) {
          if (separators.nulls?.[row] === 1) cuts.push(source.offsets[row]!, source.offsets[row + 1]!);
          else cutRow(source, row, rowBytes(separators, row), find, cuts);
        }
        offsets[row + 1] = cuts.length / 2;
      }
      const writer = createBytesWriter(cuts.length / 2);
      for (let at = 0; at < cuts.length; at += 2) {
        writer.append(source.bytes, cuts[at]!, cuts[at + 1]!);
        writer.endRow();
      }
      const item = writer.finish(undefined);
      return { kind: "list", type: columnTypeOf(call.type), length, nulls, offsets, item };
    })
  );
}

/** Adds the beginning and the end of each part. */
function cutRow(
  { bytes, offsets }: BytesColumn,
  row: number,
  separator: Uint8Array,
  find: ReturnType<typeof createFinder>,
  cuts: number[],
): void {
  const end = offsets[row + 1]!;
  let from = offsets[row]!;
  if (separator.length === 0 && from < end) {
    for (; from < end; from += codePointSize(bytes[from]!)) cuts.push(from, from + codePointSize(bytes[from]!));
    return;
  }
  for (let at = find(bytes, from, end, separator); at >= 0 && separator.length > 0; ) {
    cuts.push(from, at);
    from = at + separator.length;
    at = find(bytes, from, end, separator);
  }
  cuts.push(from, end);
}
