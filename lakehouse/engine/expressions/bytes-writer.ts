import type { Column, Nulls } from "../columns/column.ts";

/** Appends byte strings row by row and becomes a `utf8` column; a row is closed by `endRow`, even when it is null. */
export interface BytesWriter {
  append(bytes: Uint8Array, start: number, end: number): void;
  appendByte(byte: number): void;
  appendText(text: string): void;
  endRow(): void;
  finish(nulls: Nulls): Column;
}

const encoder = new TextEncoder();

/** A writer for `length` rows. */
export function createBytesWriter(length: number): BytesWriter {
  const offsets = new Int32Array(length + 1);
  let buffer = new Uint8Array(Math.max(64, length * 8));
  let size = 0;
  let row = 0;
  const reserve = (more: number) => {
    if (size + more <= buffer.length) return;
    const grown = new Uint8Array(Math.max(buffer.length * 2, size + more));
    grown.set(buffer.subarray(0, size));
    buffer = grown;
  };
  return {
    append(bytes, start, end) {
      reserve(end - start);
      buffer.set(bytes.subarray(start, end), size);
      size += end - start;
    },
    appendByte(byte) {
      reserve(1);
      buffer[size++] = byte;
    },
    appendText(text) {
      reserve(text.length * 3);
      // No more room than it can need: what workerd does with the destination costs time by its length.
      size += encoder.encodeInto(text, buffer.subarray(size, size + text.length * 3)).written;
    },
    endRow() {
      offsets[++row] = size;
    },
    finish: (nulls) => ({
      kind: "bytes",
      type: { kind: "utf8" },
      length,
      nulls,
      offsets,
      bytes: buffer.subarray(0, size),
    }),
  };
}
