/** DuckDB as the tests' judge: one instance in a process, since to make one takes 25 ms, and a database of its own for each question. */
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";

let instance: Promise<DuckDBInstance> | undefined;
let questions = 0;

async function openInstance(): Promise<DuckDBInstance> {
  const made = await DuckDBInstance.create(":memory:", { threads: "1" });
  const connection = await made.connect();
  // Tests write other bytes under the names of files that were read before.
  await connection.run("SET enable_external_file_cache = false");
  connection.closeSync();
  return made;
}

/** Asks by a connection in UTC to a database that is empty, and is gone afterwards. */
export async function askDuckDb<T>(ask: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
  instance ??= openInstance();
  const connection = await (await instance).connect();
  const database = `question_${++questions}`;
  try {
    await connection.run(`ATTACH ':memory:' AS ${database}`);
    await connection.run(`USE ${database}`);
    await connection.run("SET TimeZone = 'UTC'");
    return await ask(connection);
  } finally {
    await connection.run("USE memory");
    await connection.run(`DETACH DATABASE IF EXISTS ${database}`);
    connection.closeSync();
  }
}
