import type { Column } from "../columns/column.ts";
import { wordsOf } from "../columns/fixed-width-stores.ts";
import { hashBytes } from "../columns/hash.ts";

/** Writes the fingerprint of a row, which is not null, to the first words of `out`. */
export type Fingerprint = (row: number, out: Int32Array) => void;

/**
 * 96 bits per value: equal values have equal ones (NaN equals NaN, -0 equals 0), in every run and version. A value of up to
 * 64 bits is its own fingerprint; of texts and long decimals it is a hash. A million different texts hold two of equal hash
 * once in 10^17 times. `column` is of a scalar type.
 */
export function fingerprintsOf(column: Column): Fingerprint {
  switch (column.kind) {
    case "bool": {
      const { values } = column;
      return (row, out) => write(out, values[row]!, 0, 0);
    }
    case "int32": {
      const { values } = column;
      return (row, out) => write(out, values[row]!, 0, 0);
    }
    case "int64": {
      const words = wordsOf(column);
      return (row, out) => write(out, words[2 * row]!, words[2 * row + 1]!, 0);
    }
    case "float64": {
      const { values } = column;
      const one = new Float64Array(1);
      const words = new Int32Array(one.buffer);
      return (row, out) => {
        const value = values[row]!;
        // The sum makes 0 of -0; every NaN is written as the same one.
        one[0] = Number.isNaN(value) ? Number.NaN : value + 0;
        write(out, words[0]!, words[1]!, 0);
      };
    }
    case "int128": {
      const { values } = column;
      const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
      return (row, out) => hashBytes(bytes, 16 * row, 16 * row + 16, out);
    }
    case "bytes": {
      const { bytes, offsets } = column;
      return (row, out) => hashBytes(bytes, offsets[row]!, offsets[row + 1]!, out);
    }
    case "list":
    case "struct":
      throw new TypeError(`values of a ${column.kind} cannot be distinguished`);
  }
}

function write(out: Int32Array, a: number, b: number, c: number): void {
  out[0] = a;
  out[1] = b;
  out[2] = c;
}
