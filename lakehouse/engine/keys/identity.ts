/**
 * The identity of a key: sixteen bytes that stand for its values. A build holds them of the rows that are new, and a partition's known
 * ones stand in objects of their own, so their bytes are a format: a change of it makes every known key unknown.
 */
import type { BytesColumn, Column } from "../columns/column.ts";
import { decimalText } from "../columns/value.ts";
import { sha256 } from "./sha256.ts";

/** Bytes of an identity. */
export const IDENTITY_BYTES = 16;

/** Rows' identities one after another, IDENTITY_BYTES each. */
export type Identities = Uint8Array;

/**
 * The identities of rows by the columns of a key. A single text that is a UUID in lower case is its own identity; any other key is
 * hashed, and marked with a version that such a UUID is not taken with. NULL is a value like others. Numbers are equal by value, whatever
 * their type, so that a column that became wider keeps its keys. Throws a RangeError for a list or a struct.
 */
export function identitiesOf(columns: readonly Column[], length: number): Identities {
  const out = new Uint8Array(length * IDENTITY_BYTES);
  const [only] = columns;
  const texts = columns.length === 1 && only?.kind === "bytes" && only.type.kind === "utf8" ? only : undefined;
  const writers = columns.map(valueWriter);
  const key = new KeyBytes();
  const state = new Int32Array(8);
  for (let row = 0; row < length; row++) {
    if (texts !== undefined && texts.nulls?.[row] !== 1 && copyUuid(texts, row, out, row * IDENTITY_BYTES)) continue;
    key.clear();
    for (const write of writers) write(key, row);
    key.hash(state);
    const at = row * IDENTITY_BYTES;
    // The first four words of eight, the highest byte first.
    for (let i = 0; i < IDENTITY_BYTES; i++) out[at + i] = state[i >> 2]! >>> (24 - 8 * (i & 3));
    out[at + VERSION_BYTE] = ((out[at + VERSION_BYTE] ?? 0) & 0x0f) | HASHED;
  }
  return out;
}

/** The byte whose upper half is a UUID's version. */
const VERSION_BYTE = 6;
/** The version of a hashed identity; a UUID text of this version is hashed like any other text. */
const HASHED = 0xf0;

const UUID_LENGTH = 36;

/** Hexadecimal digits of lower case by their character; 255 for others. */
const DIGITS = new Uint8Array(256).fill(255);
for (const [value, digit] of [..."0123456789abcdef"].entries()) DIGITS[digit.charCodeAt(0)] = value;

/** Where the text of a UUID has its bytes' first digits. */
const UUID_DIGITS = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];
const UUID_DASHES = [8, 13, 18, 23];

function copyUuid({ bytes, offsets }: BytesColumn, row: number, out: Uint8Array, at: number): boolean {
  // The row exists, so its offsets do.
  const start = offsets[row]!;
  if (offsets[row + 1]! - start !== UUID_LENGTH) return false;
  for (const dash of UUID_DASHES) if (bytes[start + dash] !== 0x2d) return false;
  for (let i = 0; i < IDENTITY_BYTES; i++) {
    const digit = start + UUID_DIGITS[i]!;
    const high = DIGITS[bytes[digit]!]!;
    const low = DIGITS[bytes[digit + 1]!]!;
    if ((high | low) > 15) return false;
    out[at + i] = (high << 4) | low;
  }
  return (out[at + VERSION_BYTE]! & 0xf0) !== HASHED;
}

/** The values of one key, each with a mark of its kind and its length, so that no two keys have the same bytes. */
class KeyBytes {
  #bytes = new Uint8Array(256);
  #length = 0;

  clear(): void {
    this.#length = 0;
  }

  add(mark: number, value: Uint8Array): void {
    const end = this.#length + 5 + value.length;
    if (end > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(end, this.#bytes.length * 2));
      larger.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = larger;
    }
    this.#bytes[this.#length] = mark;
    new DataView(this.#bytes.buffer).setUint32(this.#length + 1, value.length, true);
    this.#bytes.set(value, this.#length + 5);
    this.#length = end;
  }

  /** Writes the hash of the key to `state` (`sha256`). */
  hash(state: Int32Array): void {
    sha256(this.#bytes, this.#length, state);
  }
}

const NULL_MARK = 0;
const BYTES_MARK = 1;
const NUMBER_MARK = 2;
const NOTHING = new Uint8Array(0);
const encoder = new TextEncoder();

function valueWriter(column: Column): (key: KeyBytes, row: number) => void {
  const { nulls } = column;
  const read = valueReader(column);
  const mark = column.kind === "bytes" ? BYTES_MARK : NUMBER_MARK;
  return (key, row) => {
    if (nulls?.[row] === 1) key.add(NULL_MARK, NOTHING);
    else key.add(mark, read(row));
  };
}

function valueReader(column: Column): (row: number) => Uint8Array {
  const scale = column.type.kind === "decimal" ? column.type.scale : 0;
  const number = (text: string) => encoder.encode(text);
  switch (column.kind) {
    case "bytes":
      return (row) => column.bytes.subarray(column.offsets[row]!, column.offsets[row + 1]!);
    case "bool":
    case "int32":
      return (row) => number(String(column.values[row]!));
    case "float64":
      return (row) => number(floatText(column.values[row]!));
    case "int64":
      return (row) => number(exactText(column.values[row]!, scale));
    case "int128": {
      const { values } = column;
      return (row) => number(exactText((values[2 * row + 1]! << 64n) | BigInt.asUintN(64, values[2 * row]!), scale));
    }
    case "list":
    case "struct":
      throw new RangeError(`a ${column.kind} is no part of a key`);
  }
}

/** As an integer of the same value is written; NaN equals NaN, and -0 equals 0. */
function floatText(value: number): string {
  return Number.isInteger(value) ? String(BigInt(value)) : String(value);
}

function exactText(unscaled: bigint, scale: number): string {
  if (scale === 0) return String(unscaled);
  return decimalText(unscaled, scale).replace(/\.?0+$/, "");
}
