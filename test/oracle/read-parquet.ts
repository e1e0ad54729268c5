/** Parquet as DuckDB reads it: the judge of every file we write. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { askDuckDb } from "./duckdb.ts";

/** The rows of one file in its order; times and dates as DuckDB prints them. */
export async function readWithDuckDb(bytes: Uint8Array): Promise<Record<string, unknown>[]> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-parquet-"));
  try {
    const file = join(folder, "file.parquet");
    writeFileSync(file, bytes);
    return await askDuckDb(async (connection) => {
      const reader = await connection.runAndReadAll("SELECT * FROM read_parquet($file, hive_partitioning = false)", {
        file,
      });
      return reader.getRowObjectsJson();
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
