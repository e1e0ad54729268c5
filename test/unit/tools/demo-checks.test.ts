import { DuckDBInstance } from "@duckdb/node-api";
import { expect, test } from "vitest";
import { rowsOfLayer } from "../../../tools/demo/checks.ts";

// `npm run dev` before the demo leaves announcements of schemas in the lake; the demo must close over them.
test("rows of a layer leave out what the platform says of itself, at bronze and at silver", async () => {
  const connection = await (await DuckDBInstance.create()).connect();
  for (const layer of ["bronze", "silver"]) {
    await connection.run(`CREATE VIEW ${layer}_orders AS FROM range(5)`);
    await connection.run(`CREATE VIEW ${layer}_dead_letters AS FROM range(2)`);
    await connection.run(`CREATE VIEW ${layer}_schema_changes AS FROM range(30)`);
    await connection.run(`CREATE VIEW ${layer}_pipeline_alerts AS FROM range(3)`);
  }
  await connection.run("CREATE VIEW silver_ledger AS FROM range(9)");
  const count = async (sql: string) => Number((await connection.runAndReadAll(sql)).getRows()[0]?.[0]);
  expect(await rowsOfLayer("bronze", connection, count)).toBe(7);
  expect(await rowsOfLayer("silver", connection, count)).toBe(7);
});
