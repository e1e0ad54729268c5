/**
 * Partial results as bytes, part by part: "SLPR", the format's version and the header's length as little-endian 32-bit words, the
 * header as JSON (padded with blanks), then the columns' arrays as they stand in memory, each padded to eight bytes. Nothing is
 * copied or parsed by the row. Typed arrays are little-endian on every platform that runs Workers.
 */
import * as z from "zod";
import type { Column, ColumnType } from "../columns/column.ts";
import { PartialFormatError } from "../ir/errors.ts";
import type { PartialPart } from "./partial-groups.ts";

const MAGIC = 0x52504c53;
/** Raised when the states of accumulators or this layout change: older bytes are then made again from the rows. */
const FORMAT_VERSION = 2;
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
/** A part, or the end. Every part says what all of them say of the whole, so that each is of use by itself. */
const header = z.object({
  generation: z.string(),
  note: z.string(),
  /** How many parts stand before. */
  before: z.int().nonnegative(),
  /** Which aggregation of the plan a part is of. Absent at the end. */
  point: z.int().nonnegative().optional(),
  part: z
    .discriminatedUnion("kind", [
      z.object({
        kind: z.literal("groups"),
        groups: z.int().nonnegative(),
        keys: z.array(columnHeader),
        states: z.array(z.array(columnHeader)),
      }),
      z.object({ kind: z.literal("pairs"), aggregate: z.int().nonnegative(), portion: z.array(columnHeader) }),
    ])
    .optional(),
});
type Header = z.infer<typeof header>;

/** A part of the state of one of a plan's aggregations. */
export interface SavedPart {
  /** The aggregation's place in the plan. */
  readonly point: number;
  readonly part: PartialPart;
}

/** What is said of a partial result as a whole. */
export interface PartialTitle {
  /** The plan's: of another one the partial result is of no use. */
  readonly generation: string;
  /** What rows it holds, in the words of whoever keeps it. */
  readonly note: string;
}

/**
 * The bytes of each part, in pieces, most of which are views of the columns' arrays: they are to be written before the next part is
 * asked for. A part begins at a multiple of eight bytes, and the last one only says that it is the last.
 */
export function* encodePartial(title: PartialTitle, parts: Iterable<SavedPart>): Generator<readonly Uint8Array[]> {
  let before = 0;
  for (const { point, part } of parts) {
    const arrays: Uint8Array[] = [];
    const headers = (columns: readonly Column[]) => columns.map((column) => headerOf(column, arrays));
    const described =
      part.kind === "groups"
        ? { ...part, keys: headers(part.keys), states: part.states.map(headers) }
        : { ...part, portion: headers(part.portion) };
    yield [headOf({ ...title, before, point, part: described }), ...arrays];
    before++;
  }
  yield [headOf({ ...title, before })];
}

/** Describes a column, and adds its arrays. */
function headerOf(column: Column, arrays: Uint8Array[]): z.infer<typeof columnHeader> {
  const { kind } = column;
  if (kind === "list" || kind === "struct") throw new TypeError(`a ${kind} is no part of a partial result`);
  const buffers = arraysOf(column);
  for (const buffer of buffers) {
    arrays.push(buffer);
    const left = padding(buffer.length);
    if (left > 0) arrays.push(new Uint8Array(left));
  }
  return { kind, type: column.type, length: column.length, sizes: buffers.map(({ length }) => length) };
}

function headOf(described: Header): Uint8Array {
  const json = new TextEncoder().encode(JSON.stringify(described));
  const length = json.length + padding(PREFIX + json.length);
  const head = new Uint8Array(PREFIX + length).fill(0x20);
  const view = new DataView(head.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, FORMAT_VERSION, true);
  view.setUint32(8, length, true);
  head.set(json, PREFIX);
  return head;
}

/** Reads what `encodePartial` wrote, in pieces that hold whole parts. Its methods throw `PartialFormatError` when that is not what they get. */
export class PartialReader {
  readonly #generation: string;
  #parts = 0;
  #ended = false;

  /** `generation`: what is written of another one is refused. */
  constructor(generation: string) {
    this.#generation = generation;
  }

  /** The parts, whose columns are views of `bytes`. */
  *read(bytes: Uint8Array): Generator<SavedPart> {
    // Views of 64-bit values must begin at a multiple of eight.
    const aligned = bytes.byteOffset % 8 === 0 ? bytes : bytes.slice();
    for (let at = 0; at < aligned.length; ) {
      if (this.#ended) throw new PartialFormatError("bytes follow a partial result");
      const { described, end } = this.#header(aligned, at);
      at = end;
      const { point, part } = described;
      if (point === undefined || part === undefined) {
        this.#ended = true;
        continue;
      }
      this.#parts++;
      const take = (size: number): Uint8Array => {
        const array = aligned.subarray(at, at + size);
        if (array.length !== size) throw new PartialFormatError("a partial result is cut off");
        at += size + padding(size);
        return array;
      };
      const columns = (saved: readonly z.infer<typeof columnHeader>[]) =>
        saved.map((column) => columnFrom(column, column.sizes.map(take)));
      const read: PartialPart =
        part.kind === "groups"
          ? { ...part, keys: columns(part.keys), states: part.states.map(columns) }
          : { ...part, portion: columns(part.portion) };
      if (at > aligned.length) throw new PartialFormatError("a partial result is cut off");
      yield { point, part: read };
    }
  }

  /** Once everything is read. */
  finish(): void {
    if (!this.#ended) throw new PartialFormatError("a partial result has no end");
  }

  #header(bytes: Uint8Array, at: number): { readonly described: Header; readonly end: number } {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (bytes.length < at + PREFIX || view.getUint32(at, true) !== MAGIC)
      throw new PartialFormatError("no partial result");
    if (view.getUint32(at + 4, true) !== FORMAT_VERSION)
      throw new PartialFormatError("a partial result is of another version");
    const end = at + PREFIX + view.getUint32(at + 8, true);
    if (end > bytes.length) throw new PartialFormatError("a partial result ends within its header");
    const described = parseHeader(bytes.subarray(at + PREFIX, end));
    if (described.generation !== this.#generation) throw new PartialFormatError("a partial result is of another plan");
    if (described.before !== this.#parts) throw new PartialFormatError("a partial result lacks a part");
    return { described, end };
  }
}

function parseHeader(bytes: Uint8Array): Header {
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

function arraysOf(column: Extract<Column, { readonly kind: FlatKind }>): readonly Uint8Array[] {
  const nulls = column.nulls ?? new Uint8Array(0);
  return column.kind === "bytes" ? [nulls, bytesOf(column.offsets), column.bytes] : [nulls, bytesOf(column.values)];
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
