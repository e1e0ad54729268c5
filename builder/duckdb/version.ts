import { DuckDBInstance } from "@duckdb/node-api";

/** DuckDB's own version, as in `v1.5.6`: models are compiled with one, and built with the same. */
export async function ownDuckDb(): Promise<string> {
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  try {
    const [row] = (await connection.runAndReadAll("SELECT version() AS version")).getRowObjectsJson();
    return String(row?.["version"]);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
