/** The DuckDB macro of a table: any connection, no session variable, and only the files that a filter needs. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { filesOfViews, type ViewedTable, viewsSql } from "../../../../lakehouse/tables/views.ts";

const TABLE: ViewedTable = {
  name: "silver_t",
  directory: "silver/t",
  partition: "event_date",
  fields: [
    { name: "id", type: { kind: "utf8" }, nullable: false },
    { name: "event_date", type: { kind: "date" }, nullable: false },
  ],
};
const keyOf = (date: string, name: string): string => `silver/t/event_date=${date}/${name}.parquet`;

let folder: string;
let instance: DuckDBInstance;
let connection: DuckDBConnection;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "sluice-views-"));
  instance = await DuckDBInstance.create(":memory:");
  connection = await instance.connect();
  for (const [date, name] of [
    ["2026-11-20", "a"],
    ["2026-11-21", "b"],
    ["2026-11-21", "superseded"],
  ] as const) {
    mkdirSync(join(folder, "silver/t", `event_date=${date}`), { recursive: true });
    const path = join(folder, keyOf(date, name));
    await connection.run(`COPY (SELECT '${name}' AS id, DATE '${date}' AS event_date) TO '${path}' (FORMAT parquet)`);
  }
});
afterAll(() => {
  connection.closeSync();
  instance.closeSync();
  rmSync(folder, { recursive: true });
});

const ids = async (at: DuckDBConnection, sql: string) => (await at.runAndReadAll(sql)).getRowsJson().flat();
const first = new Map([["2026-11-20", [keyOf("2026-11-20", "a")]]]);
const both = new Map([...first, ["2026-11-21", [keyOf("2026-11-21", "b")]]]);

test("a view over the macro shows the live files in every connection, and follows when the file is run again", async () => {
  await connection.run(viewsSql(TABLE, first));
  await connection.run(`CREATE VIEW silver_t AS FROM silver_t('${folder}')`);
  const other = await instance.connect();
  expect(await ids(other, "SELECT id FROM silver_t")).toEqual(["a"]);
  await connection.run(viewsSql(TABLE, both));
  expect(await ids(other, "SELECT id FROM silver_t ORDER BY 1")).toEqual(["a", "b"]);
  expect(await ids(other, `SELECT id FROM silver_t('${folder}') WHERE event_date = '2026-11-21'`)).toEqual(["b"]);
  other.closeSync();
});

test("a filter on the partition opens its files only", async () => {
  await connection.run(viewsSql(TABLE, both));
  const plan = await ids(
    connection,
    `EXPLAIN SELECT id FROM silver_t('${folder}') WHERE event_date = DATE '2026-11-21'`,
  );
  expect(plan.join("")).toContain("Scanning Files: 1/2");
});

test("a table without files has its columns, and older files show the columns that came since", async () => {
  await connection.run(viewsSql(TABLE, new Map()));
  const described = await connection.runAndReadAll("DESCRIBE SELECT * FROM silver_t('nowhere')");
  expect(described.getRowsJson().map(([name, type]) => [name, type])).toEqual([
    ["id", "VARCHAR"],
    ["event_date", "DATE"],
  ]);
  await connection.run(viewsSql(TABLE, first, [{ name: "added", type: { kind: "int32" }, nullable: true }]));
  expect(await ids(connection, `SELECT added FROM silver_t('${folder}')`)).toEqual([null]);
});

test("the text names the files that it was made of", () => {
  const day = fc.integer({ min: 1, max: 28 }).map((n) => `2026-11-${String(n).padStart(2, "0")}`);
  const name = fc.stringMatching(/^[a-z0-9-]{1,12}$/);
  fc.assert(
    fc.property(fc.dictionary(day, fc.uniqueArray(name, { maxLength: 4 })), (names) => {
      const files = new Map(Object.entries(names).map(([date, all]) => [date, all.map((each) => keyOf(date, each))]));
      const listed = filesOfViews(TABLE, viewsSql(TABLE, files));
      expect(listed).toEqual(new Map([...files].filter(([, keys]) => keys.length > 0)));
    }),
  );
});
