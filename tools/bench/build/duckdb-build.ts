/** What a topic's builds do, by DuckDB with one thread over the same files: the same rows, hashes, models and checks. */
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { recordHashSql } from "../../../lakehouse/builds/silver/record-hash.ts";
import { type ModelTable, type TopicTable, tables } from "../../../lakehouse/tables/catalog.ts";
import type { RunnableCheck } from "../../../lakehouse/tables/compiled/compiled-check.ts";
import { quoteName, quoteText } from "../../../schemas/sql-quoting.ts";

export interface DuckDbBuild extends AsyncDisposable {
  /** Builds silver and the models into files of the folder. */
  build(): Promise<void>;
  /** The files, by the name of their table, and how many rows and which rows they have: `summaryOf`. */
  summary(): Promise<Readonly<Record<string, string>>>;
  /** The same of other files. */
  summaryOf(files: readonly string[]): Promise<string>;
}

/** `files`: of bronze, in the order of their positions. */
export async function openDuckDbBuild(
  table: TopicTable,
  files: readonly string[],
  folder: string,
): Promise<DuckDbBuild> {
  const instance = await DuckDBInstance.create(":memory:", { threads: "1" });
  const connection = await instance.connect();
  const models = tables.filter(
    (other): other is ModelTable =>
      other.kind === "model" && other.model.inputs.every((input) => input.table === table.name),
  );
  const bronze = `read_parquet([${files.map(quoteText).join(", ")}], filename = true, file_row_number = true)`;
  const fileOf = (name: string) => quoteText(join(folder, `${name}.parquet`));
  const copy = (query: string, name: string) =>
    connection.run(`COPY (${query}) TO ${fileOf(name)} (FORMAT parquet, COMPRESSION zstd)`);
  const check = async (checks: readonly RunnableCheck[], of: string) => {
    for (const query of checkQueries(checks, of)) await connection.run(query);
  };
  const view = (name: string) =>
    connection.run(`CREATE OR REPLACE VIEW ${quoteName(name)} AS SELECT * FROM read_parquet(${fileOf(name)})`);
  const hashed = table.fields.filter(({ name }) => table.eventColumns.includes(name));
  const key = table.contract.dedupeKey.map(quoteName).join(", ");
  const summaryOf = async (paths: readonly string[]) => {
    const list = paths.map(quoteText).join(", ");
    const [row] = await (
      await connection.run(
        `SELECT count(*)::VARCHAR || ' rows, ' || bit_xor(hash(t)) AS s FROM read_parquet([${list}], hive_partitioning = false) t`,
      )
    ).getRowObjects();
    return String(row?.["s"]);
  };
  return {
    async build() {
      await check(
        table.checks.filter(({ layer }) => layer === "bronze"),
        bronze,
      );
      await copy(
        `SELECT ${table.fields.map(({ name }) => (table.eventColumns.includes(name) || name !== "record_hash" ? quoteName(name) : `${recordHashSql(hashed)} AS record_hash`)).join(", ")} FROM ${bronze}
         QUALIFY row_number() OVER (PARTITION BY ${key} ORDER BY filename, file_row_number) = 1`,
        table.name,
      );
      await view(table.name);
      await check(
        table.checks.filter(({ layer }) => layer === "silver"),
        quoteName(table.name),
      );
      for (const { name, model, checks } of models) {
        await copy(`${model.sql} ORDER BY ${model.key.map(quoteName).join(", ")}`, name);
        await view(name);
        await check(checks, quoteName(name));
      }
    },
    async summary() {
      const names = [table.name, ...models.map(({ name }) => name)];
      return Object.fromEntries(
        await Promise.all(names.map(async (name) => [name, await summaryOf([join(folder, `${name}.parquet`)])])),
      );
    },
    summaryOf,
    async [Symbol.asyncDispose]() {
      connection.closeSync();
      instance.closeSync();
    },
  };
}

/** The checks of the library as one query over the table, as a person would write it; those in SQL as they are written. */
function checkQueries(checks: readonly RunnableCheck[], of: string): string[] {
  const measures = checks.flatMap((check) => (check.metric === "sql" ? [] : [measureSql(check)]));
  const written = checks.flatMap((check) => (check.metric === "sql" ? [check.query] : []));
  return [...(measures.length > 0 ? [`SELECT ${measures.join(", ")} FROM ${of}`] : []), ...written];
}

function measureSql({ metric, columns, values }: Exclude<RunnableCheck, { readonly metric: "sql" }>): string {
  const names = columns.map(quoteName);
  const listed = values.map(quoteText).join(", ");
  const any = (condition: (name: string) => string) => `count(*) FILTER (WHERE ${names.map(condition).join(" OR ")})`;
  switch (metric) {
    case "rowCount":
      return "count(*)";
    case "nullValues":
      return any((name) => `${name} IS NULL`);
    case "missingValues":
      return any((name) => `${name} IS NULL OR ${name} IN (${listed})`);
    case "invalidValues":
      return any((name) => `${name} NOT IN (${listed})`);
    case "duplicateValues":
      return `count(*) - count(DISTINCT (${names.join(", ")}))`;
  }
}
