import type { Column } from "./column.ts";
import { wordsOf } from "./fixed-width-stores.ts";
import { hashBytes, mixed } from "./hash.ts";

const NULL_HASH = 0x6e756c6c;

/**
 * A 32-bit hash per row over all columns: equal rows have equal hashes (NULL equals NULL, NaN equals NaN, -0 equals 0).
 * Throws a TypeError for lists and structs. Rows run below `length`: the reads are defined.
 */
export function rowHashes(columns: readonly Column[], length: number): Int32Array {
  const hashes = new Int32Array(length);
  for (const column of columns) addHashes(column, hashes);
  return hashes;
}

function addHashes(column: Column, hashes: Int32Array): void {
  const { nulls } = column;
  const length = hashes.length;
  switch (column.kind) {
    case "bool":
      for (let row = 0; row < length; row++) {
        hashes[row] = mixed(Math.imul(hashes[row]!, 31) ^ (nulls?.[row] === 1 ? NULL_HASH : column.values[row]!));
      }
      return;
    case "int32":
    case "int64":
    case "int128": {
      const words = wordsOf(column);
      const width = column.kind === "int32" ? 1 : column.kind === "int64" ? 2 : 4;
      for (let row = 0; row < length; row++) {
        let hash = Math.imul(hashes[row]!, 31);
        if (nulls?.[row] === 1) hash ^= NULL_HASH;
        else {
          for (let word = 0; word < width; word++) hash = mixed(hash ^ words[row * width + word]!);
        }
        hashes[row] = mixed(hash);
      }
      return;
    }
    case "float64": {
      const one = new Float64Array(1);
      const words = new Int32Array(one.buffer);
      for (let row = 0; row < length; row++) {
        let hash = Math.imul(hashes[row]!, 31);
        if (nulls?.[row] === 1) hash ^= NULL_HASH;
        else {
          const value = column.values[row]!;
          // The sum makes 0 of -0; every NaN is written as the same one.
          one[0] = Number.isNaN(value) ? Number.NaN : value + 0;
          hash = mixed(hash ^ words[0]!) ^ words[1]!;
        }
        hashes[row] = mixed(hash);
      }
      return;
    }
    case "bytes": {
      const out = new Int32Array(4);
      const { bytes, offsets } = column;
      for (let row = 0; row < length; row++) {
        let hash = Math.imul(hashes[row]!, 31);
        if (nulls?.[row] === 1) hash ^= NULL_HASH;
        else {
          hashBytes(bytes, offsets[row]!, offsets[row + 1]!, out);
          hash ^= out[0]!;
        }
        hashes[row] = mixed(hash);
      }
      return;
    }
    case "list":
    case "struct":
      throw new TypeError(`columns of kind ${column.kind} are no keys`);
  }
}
