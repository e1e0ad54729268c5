/**
 * What a file's footer says of its columns as JSON: bounds and nulls of all row groups together, for catalogs. Values are written as
 * Iceberg's JSON single values are ("JSON single-value serialization" of its specification), save that integers beyond 2^53 are texts.
 */
import { formatDate, formatTimestamp } from "../../../schemas/time.ts";
import type { ColumnType, Field } from "../columns/column.ts";
import { compareBytes } from "../columns/compare.ts";
import { CHUNK, CHUNK_METADATA, type FooterColumn, type FooterRowGroup } from "./footer.ts";
import { columnRange } from "./statistics.ts";
import { intField, structField } from "./thrift.ts";

export interface ColumnStatistics {
  /** Bounds of the values that are not null; absent where all are null, and for types without an order. A long text's may be no value. */
  readonly min?: string | number | boolean;
  readonly max?: string | number | boolean;
  readonly nulls: number;
}

/** By top-level name. */
export type FileStatistics = Readonly<Record<string, ColumnStatistics>>;

/** Field id of the number of nulls in `Statistics` of parquet.thrift. */
const NULL_COUNT = 3;
/** Texts longer than this are cut: a bound is to skip files by, not to be read. */
const BOUND_LETTERS = 32;

/**
 * Of the columns of which every row group has statistics; none for what is nested and for doubles where one is NaN, of which the
 * writer leaves none. A file without rows has none.
 */
export function fileStatistics(
  fields: readonly Field[],
  columns: readonly FooterColumn[],
  groups: readonly FooterRowGroup[],
): FileStatistics {
  const statistics: Record<string, ColumnStatistics> = {};
  for (const column of columns) {
    const type = fields.find(({ name }) => name === column.name)?.type;
    const found = type === undefined ? undefined : columnStatistics(type, column, groups);
    if (found !== undefined) statistics[column.name] = found;
  }
  return statistics;
}

function columnStatistics(
  type: ColumnType,
  column: FooterColumn,
  groups: readonly FooterRowGroup[],
): ColumnStatistics | undefined {
  if (groups.length === 0) return undefined;
  const counts = groups.map((group) => nullCount(group, column));
  if (counts.some((count) => count === undefined)) return undefined;
  const nulls = counts.reduce<number>((sum, count) => sum + (count ?? 0), 0);
  const ranges = groups.flatMap((group) => columnRange(group, column) ?? []);
  const withValues = groups.filter((group, i) => group.rows > (counts[i] ?? 0)).length;
  const order = orderOf(type);
  if (order === undefined || ranges.length < withValues || ranges.length === 0) return { nulls };
  const least = ranges.map(({ min }) => min).reduce((a, b) => (order.compare(b, a) < 0 ? b : a));
  const greatest = ranges.map(({ max }) => max).reduce((a, b) => (order.compare(b, a) > 0 ? b : a));
  const [min, max] = [order.lower(least), order.upper(greatest)];
  return { ...(min === undefined ? {} : { min }), ...(max === undefined ? {} : { max }), nulls };
}

function nullCount(group: FooterRowGroup, column: FooterColumn): number | undefined {
  const chunk = column.leaves === 1 ? group.chunks[column.firstLeaf] : undefined;
  if (chunk === undefined) return undefined;
  const metadata = structField(chunk, CHUNK.metadata);
  if (!metadata.fields.has(CHUNK_METADATA.statistics)) return undefined;
  return intField(structField(metadata, CHUNK_METADATA.statistics), NULL_COUNT);
}

/** How plain encoded bounds of a type compare, and what they are in JSON. */
interface BoundOrder {
  compare(a: Uint8Array, b: Uint8Array): number;
  lower(bytes: Uint8Array): ColumnStatistics["min"];
  /** Undefined where there is no text above it that is short enough. */
  upper(bytes: Uint8Array): ColumnStatistics["max"];
}

function orderOf(type: ColumnType): BoundOrder | undefined {
  switch (type.kind) {
    case "bool":
      return ofNumbers(
        (bytes) => BigInt(bytes[0] ?? 0),
        (value) => value === 1n,
      );
    case "int32":
    case "int64":
      return ofNumbers(littleEndian, (value) => (Number.isSafeInteger(Number(value)) ? Number(value) : String(value)));
    case "date":
      return ofNumbers(littleEndian, (value) => formatDate(Number(value)));
    case "timestamp":
      // Times that a double cannot tell apart have no bound.
      return ofNumbers(littleEndian, (value) =>
        Number.isSafeInteger(Number(value)) ? formatTimestamp(Number(value)) : undefined,
      );
    case "decimal":
      // Up to 18 digits stand in an integer, more in a fixed number of bytes, the highest first.
      return ofNumbers(type.precision <= 18 ? littleEndian : bigEndian, (value) => decimalText(value, type.scale));
    case "float64":
      return {
        compare: (a, b) => double(a) - double(b),
        lower: (bytes) => finite(double(bytes)),
        upper: (bytes) => finite(double(bytes)),
      };
    case "utf8":
      return {
        compare: (a, b) => compareBytes(a, 0, a.length, b, 0, b.length),
        lower: lowerText,
        upper: upperText,
      };
    case "binary":
    case "list":
    case "struct":
      return undefined;
  }
}

function ofNumbers(read: (bytes: Uint8Array) => bigint, write: (value: bigint) => ColumnStatistics["min"]): BoundOrder {
  const json = (bytes: Uint8Array) => write(read(bytes));
  return {
    compare(a, b) {
      const [left, right] = [read(a), read(b)];
      return left < right ? -1 : Number(left > right);
    },
    lower: json,
    upper: json,
  };
}

/** Two's complement. Parquet's integers have four bytes or eight. */
function littleEndian(bytes: Uint8Array): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length === 8) return view.getBigInt64(0, true);
  if (bytes.length === 4) return BigInt(view.getInt32(0, true));
  return bigEndian(bytes.toReversed());
}

/** Two's complement. */
function bigEndian(bytes: Uint8Array): bigint {
  const unsigned = bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
  return BigInt.asIntN(8 * bytes.length, unsigned);
}

function double(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, 8).getFloat64(0, true);
}

/** JSON has no infinities. */
function finite(value: number): number | undefined {
  return Number.isFinite(value) ? value : undefined;
}

function decimalText(unscaled: bigint, scale: number): string {
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, "0");
  const text = scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
  return unscaled < 0n ? `-${text}` : text;
}

/** A beginning of a text stands before it. */
function lowerText(bytes: Uint8Array): string | undefined {
  return lettersOf(bytes)?.slice(0, BOUND_LETTERS).join("");
}

/** Cut, and its last letter raised, it stands behind all texts that begin so. */
function upperText(bytes: Uint8Array): string | undefined {
  const letters = lettersOf(bytes);
  if (letters === undefined) return undefined;
  if (letters.length <= BOUND_LETTERS) return letters.join("");
  const kept = letters.slice(0, BOUND_LETTERS);
  for (let last = kept.pop(); last !== undefined; last = kept.pop()) {
    const next = nextLetter(last);
    if (next !== undefined) return kept.join("") + next;
  }
  return undefined;
}

/** The code point that follows; undefined for the last. Surrogates are no letters. */
function nextLetter(letter: string): string | undefined {
  const code = (letter.codePointAt(0) ?? 0) + 1;
  if (code > 0x10ffff) return undefined;
  return String.fromCodePoint(code === 0xd800 ? 0xe000 : code);
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Undefined for what is no UTF-8: it would be another text. */
function lettersOf(bytes: Uint8Array): string[] | undefined {
  try {
    return [...decoder.decode(bytes)];
  } catch {
    return undefined;
  }
}
