/**
 * Partial results as bytes: "SLPR", the format's version and the header's length as little-endian 32-bit words, the header
 * as JSON (padded with blanks), then the columns' arrays as they stand in memory, each padded to eight bytes. Nothing is
 * copied or parsed by the row. Typed arrays are little-endian on every platform that runs Workers.
 */
import * as z from "zod";
import type { Column, ColumnType } from "../columns/column.ts";
import { PartialFormatError } from "../ir/errors.ts";
import type { PartialGroups } from "./partial-groups.ts";

const MAGIC = 0x52504c53;
/** Raised when the states of accumulators or this layout change: older bytes are then made again from the rows. */
const FORMAT_VERSION = 1;
const PREFIX = 12;

type FlatKind = Exclude<Column["kind"], "list" | "struct">;
const KINDS = ["bool", "int32", "int64", "int128", "float64", "bytes"] as const satisfies readonly FlatKind[];

const columnHeader = z.object({
  kind: z.enum(KINDS),
  /** Bytes of a text's type, digits of a decimal: what the layout alone does not say. */
  type: z.custom<ColumnType>((value) => typeof value === "object" && value !== null && "kind" in value),
  length: z.int().nonnegative(),
  /** Bytes of each array: nulls (0: none), then values, or offsets and bytes. */
  sizes: z.array(z.int().nonnegative()).min(2).max(3),
});
const header = z.object({
  generation: z.string(),
  note: z.string(),
  points: z.array(
    z.object({
      groups: z.int().nonnegative(),
      keys: z.array(columnHeader),
      states: z.array(z.array(columnHeader)),
    }),
  ),
});

/** Partial results of the aggregations of one plan. */
export interface SavedPartials {
  /** The plan's: of another one they are of no use. */
  readonly generation: string;
  /** What rows they hold, in the words of whoever keeps them. */
  readonly note: string;
  readonly partials: readonly PartialGroups[];
}

/** The bytes in pieces, most of which are views of the columns' arrays: they are to be written before those change. */
export function encodePartials({ generation, note, partials }: SavedPartials): readonly Uint8Array[] {
  const arrays: Uint8Array[] = [];
  const headerOf = (column: Column) => {
    const buffers = arraysOf(column);
    for (const buffer of buffers) {
      arrays.push(buffer);
      const left = padding(buffer.length);
      if (left > 0) arrays.push(new Uint8Array(left));
    }
    return { kind: column.kind, type: column.type, length: column.length, sizes: buffers.map(({ length }) => length) };
  };
  const points = partials.map(({ groups, keys, states }) => ({
    groups,
    keys: keys.map(headerOf),
    states: states.map((state) => state.map(headerOf)),
  }));
  const json = new TextEncoder().encode(JSON.stringify({ generation, note, points }));
  const length = json.length + padding(PREFIX + json.length);
  const head = new Uint8Array(PREFIX + length).fill(0x20);
  const view = new DataView(head.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, FORMAT_VERSION, true);
  view.setUint32(8, length, true);
  head.set(json, PREFIX);
  return [head, ...arrays];
}

/**
 * Reads what `encodePartials` wrote; the columns are views of `bytes`. Undefined when another version wrote it. Throws
 * `PartialFormatError` when it is cut off or no partial result at all.
 */
export function decodePartials(bytes: Uint8Array): SavedPartials | undefined {
  // Views of 64-bit values must begin at a multiple of eight.
  const aligned = bytes.byteOffset % 8 === 0 ? bytes : bytes.slice();
  const view = new DataView(aligned.buffer, aligned.byteOffset, aligned.byteLength);
  if (aligned.length < PREFIX || view.getUint32(0, true) !== MAGIC) throw new PartialFormatError("no partial result");
  if (view.getUint32(4, true) !== FORMAT_VERSION) return undefined;
  const length = view.getUint32(8, true);
  if (PREFIX + length > aligned.length) throw new PartialFormatError("a partial result ends within its header");
  const { generation, note, points } = readHeader(aligned.subarray(PREFIX, PREFIX + length));
  let at = PREFIX + length;
  const take = (size: number): Uint8Array => {
    const part = aligned.subarray(at, at + size);
    if (part.length !== size) throw new PartialFormatError("a partial result is cut off");
    at += size + padding(size);
    return part;
  };
  const column = (saved: z.infer<typeof columnHeader>) => columnFrom(saved, saved.sizes.map(take));
  const partials = points.map(({ groups, keys, states }) => ({
    groups,
    keys: keys.map(column),
    states: states.map((state) => state.map(column)),
  }));
  if (at !== aligned.length) throw new PartialFormatError("bytes follow a partial result");
  return { generation, note, partials };
}

function readHeader(bytes: Uint8Array): z.infer<typeof header> {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw new PartialFormatError("the header of a partial result is no JSON");
  }
  const parsed = header.safeParse(json);
  if (!parsed.success) throw new PartialFormatError("the header of a partial result lacks parts");
  return parsed.data;
}

function padding(length: number): number {
  return (8 - (length % 8)) % 8;
}

function arraysOf(column: Column): readonly Uint8Array[] {
  const nulls = column.nulls ?? new Uint8Array(0);
  switch (column.kind) {
    case "list":
    case "struct":
      throw new TypeError(`a ${column.kind} is no part of a partial result`);
    case "bytes":
      return [nulls, bytesOf(column.offsets), column.bytes];
    default:
      return [nulls, bytesOf(column.values)];
  }
}

function bytesOf(array: Uint8Array | Int32Array | BigInt64Array | Float64Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

function columnFrom(
  { kind, type, length, sizes }: z.infer<typeof columnHeader>,
  arrays: readonly Uint8Array[],
): Column {
  const [marks, values, bytes] = arrays;
  const width = { bool: 1, int32: 4, int64: 8, int128: 16, float64: 8, bytes: 4 }[kind];
  const slots = kind === "bytes" ? length + 1 : length;
  const isFull = marks === undefined || marks.length === 0 || marks.length === length;
  if (values?.length !== slots * width || !isFull || (kind === "bytes") !== (bytes !== undefined)) {
    throw new PartialFormatError(`a ${kind} column of ${length} rows has arrays of ${sizes.join(", ")} bytes`);
  }
  const nulls = marks === undefined || marks.length === 0 ? undefined : marks;
  const { buffer, byteOffset } = values;
  switch (kind) {
    case "bool":
      return { kind, type, length, nulls, values };
    case "int32":
      return { kind, type, length, nulls, values: new Int32Array(buffer, byteOffset, length) };
    case "int64":
      return { kind, type, length, nulls, values: new BigInt64Array(buffer, byteOffset, length) };
    case "int128":
      return { kind, type, length, nulls, values: new BigInt64Array(buffer, byteOffset, 2 * length) };
    case "float64":
      return { kind, type, length, nulls, values: new Float64Array(buffer, byteOffset, length) };
    case "bytes": {
      const offsets = new Int32Array(buffer, byteOffset, slots);
      const whole = bytes ?? new Uint8Array(0);
      for (let row = 0; row < length; row++) {
        if (offsets[row]! > offsets[row + 1]!) throw new PartialFormatError("a column of bytes is out of order");
      }
      if (offsets[0] !== 0 || offsets[length] !== whole.length)
        throw new PartialFormatError("a column of bytes is cut");
      return { kind, type, length, nulls, offsets, bytes: whole };
    }
  }
}
