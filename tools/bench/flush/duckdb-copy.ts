/** DuckDB writing rows as Parquet: one thread, from a table of its own in memory, ZSTD. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";

export interface DuckDbCopy extends AsyncDisposable {
  /** One COPY of the table to a file. */
  copy(): Promise<void>;
}

/** Loads the rows of Parquet files into a table. */
export async function openCopy(files: readonly Uint8Array[]): Promise<DuckDbCopy> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-copy-"));
  const instance = await DuckDBInstance.create(":memory:", { threads: "1" });
  const connection = await instance.connect();
  for (const [i, bytes] of files.entries()) writeFileSync(join(folder, `${i}.in.parquet`), bytes);
  await connection.run(`CREATE TABLE bronze AS SELECT * FROM read_parquet('${folder}/*.in.parquet')`);
  return {
    async copy() {
      await connection.run(`COPY bronze TO '${folder}/out.parquet' (FORMAT parquet, COMPRESSION zstd)`);
    },
    async [Symbol.asyncDispose]() {
      connection.closeSync();
      instance.closeSync();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
