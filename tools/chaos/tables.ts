/** Silver and gold against DuckDB's own answer over bronze, and what readers without D1 are told against D1. */
import type { DuckDBConnection } from "@duckdb/node-api";
import { models } from "../../lakehouse/tables/compiled/models.generated.ts";
import { quoteName } from "../../schemas/sql-quoting.ts";
import { compareWithDuckDb } from "../lake/model-oracle.ts";
import type { Lake } from "../lake/open.ts";
import type { Platform } from "../local-platform/platform.ts";

export interface TablesVerdict {
  /** Rows of `silver_orders` that are not the first of their key in bronze, and such rows that are not in silver. */
  readonly silverWrong: number;
  /** Rows of gold tables that DuckDB's answer to the model's SQL has not, and the other way round. */
  readonly goldWrong: number;
  /** Files that a pointer names and D1 does not have as live, or the other way round, and those that are not there; versions with other rows than their files. */
  readonly halfPublished: number;
}

export async function judgeTables(platform: Platform, lake: Lake): Promise<TablesVerdict> {
  let goldWrong = 0;
  for (const model of models) {
    if (!lake.views.some(({ name }) => name === model.name)) continue;
    const { published, expected, differing } = await compareWithDuckDb(lake.connection, model);
    goldWrong += Math.max(differing, Math.abs(published - expected));
  }
  return { silverWrong: await silverWrong(lake), goldWrong, halfPublished: await halfPublished(platform) };
}

/** What an event says of itself: columns that begin with `_` say where it was, which for a copy is another place. */
async function silverWrong({ connection, views }: Lake): Promise<number> {
  if (!views.some(({ name }) => name === "silver_orders")) return 0;
  const columns = (await columnsOf(connection, "bronze_orders")).filter((name) => !name.startsWith("_"));
  const list = columns.map(quoteName).join(", ");
  const bronze = `SELECT ${list} FROM bronze_orders QUALIFY row_number() OVER (PARTITION BY event_id) = 1`;
  const silver = `SELECT ${list} FROM silver_orders`;
  const [row] = (
    await connection.runAndReadAll(
      `SELECT (SELECT count(*) FROM (${bronze} EXCEPT ALL ${silver})) + (SELECT count(*) FROM (${silver} EXCEPT ALL ${bronze})) AS wrong`,
    )
  ).getRowObjects();
  return Number(row?.["wrong"]);
}

async function columnsOf(connection: DuckDBConnection, view: string): Promise<string[]> {
  const rows = (await connection.runAndReadAll(`DESCRIBE ${quoteName(view)}`)).getRowObjects();
  return rows.map((row) => String(row["column_name"]));
}

async function halfPublished({ db, lake }: Platform): Promise<number> {
  const { results: live } = await db
    .prepare(
      "SELECT table_name, file FROM data_files WHERE added IS NOT NULL AND removed IS NULL AND kind = 'data' ORDER BY file",
    )
    .all<{ table_name: string; file: string }>();
  const { results: other } = await db
    .prepare(
      `SELECT p.table_name FROM published p WHERE p.rows <> (
         SELECT coalesce(sum(f.rows), 0) FROM data_files f WHERE f.table_name = p.table_name AND f.partition_date = p.partition_date
           AND f.kind = 'data' AND f.added IS NOT NULL AND f.removed IS NULL)`,
    )
    .all();
  let wrong = other.length;
  const tables = Map.groupBy(live, ({ table_name }) => table_name);
  for (const [table, files] of tables) {
    const named = await namedByPointer(lake, directoryOf(files[0]?.file ?? ""));
    const difference = named.symmetricDifference(new Set(files.map(({ file }) => file)));
    wrong += difference.size;
    for (const { file } of files) if ((await lake.head(file)) === null) wrong++;
    if (difference.size > 0)
      console.error(`${table}: its pointer and D1 differ in ${[...difference].slice(0, 3).join(", ")}`);
  }
  return wrong;
}

/** `silver/orders` of `silver/orders/event_date=2026-11-29/...`. */
function directoryOf(file: string): string {
  return file.split("/").slice(0, 2).join("/");
}

/** The data files that `current.json` and the manifests that it names have. */
async function namedByPointer(lake: Platform["lake"], directory: string): Promise<Set<string>> {
  const text = async (key: string) => (await (await lake.get(key))?.text()) ?? "";
  const pointer = await text(`${directory}/current.json`);
  const manifests = [...pointer.matchAll(/"([^"]+)"/g)].flatMap(([, value]) =>
    value?.endsWith(".json") ? [value] : [],
  );
  const texts = [pointer, ...(await Promise.all(manifests.map(text)))];
  return new Set(
    texts.flatMap((each) =>
      [...each.matchAll(/"([^"]+)"/g)].flatMap(([, value]) =>
        value?.startsWith(`${directory}/`) && value.endsWith(".parquet") ? [value] : [],
      ),
    ),
  );
}
