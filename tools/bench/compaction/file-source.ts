/** Objects in a folder, read by ranges as from R2, so that none is in memory but what is asked for. */
import { closeSync, openSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import type { RangeSource } from "../../../lakehouse/engine/parquet/reader.ts";

export function fileSource(folder: string, name: string): RangeSource {
  const path = join(folder, name);
  return {
    name,
    size: statSync(path).size,
    async read(start, end) {
      const bytes = new Uint8Array(end - start);
      const file = openSync(path, "r");
      try {
        readSync(file, bytes, 0, bytes.length, start);
      } finally {
        closeSync(file);
      }
      return bytes;
    },
  };
}
