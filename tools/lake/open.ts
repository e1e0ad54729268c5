/** The lake in DuckDB: every table under its name. The judge of the demo and of the tests, and the heart of `npm run query`. */
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { contracts } from "../../contracts/registry.ts";
import { bronzeFields, evolvedFields } from "../../lakehouse/bronze/table.ts";
import type { Field } from "../../lakehouse/engine/columns/column.ts";
import { quarantineFields, quarantineName } from "../../lakehouse/tables/quarantine.ts";
import { silverTableName } from "../../lakehouse/tables/silver-columns.ts";
import {
  type AsOf,
  bronzeTables,
  DEAD_LETTERS,
  publishedTables,
  quarantineTables,
  type ReadVersion,
  readVersions,
  STATE_TABLE_NAMES,
  type StateTable,
  stateTables,
  type TableFiles,
} from "./catalog.ts";
import { cacheObjects } from "./object-cache.ts";
import type { CatalogRow, LakeSource } from "./source.ts";
import { emptyView, parquetView, stateTable } from "./sql-text.ts";

export interface LakeView {
  readonly name: string;
  readonly kind: "published" | "bronze" | "quarantine" | "state";
  readonly rows: number;
}

export interface Lake {
  /** TimeZone is UTC. */
  readonly connection: DuckDBConnection;
  /** By kind, then by name. */
  readonly views: readonly LakeView[];
  /** What the published tables are read as of, by name. */
  readonly versions: readonly ReadVersion[];
  close(): void;
}

export interface OpenLakeOptions {
  /** Read while opening only; closing it stays with the caller. */
  readonly source: LakeSource;
  readonly cacheDir: string;
  /** Which of D1's `STATE_TABLES` are copied, which takes longer than all the rest; all of them if not given. */
  readonly stateTables?: readonly string[];
  /** The newest versions if it is not given. Bronze and D1's tables are those of now. */
  readonly asOf?: AsOf;
}

/**
 * Makes a view for each published table, for `bronze_<topic>` of each contract and `quarantine_<topic>` of those with such checks
 * (empty ones too), and for the dead letters, and a table for each of D1's that is asked for. It is the lake
 * of this moment: open it again to see later commits. Throws CommandProblem (LAKE_UNREADABLE) when a live file cannot be had.
 */
export async function openLake(options: OpenLakeOptions): Promise<Lake> {
  const { source, cacheDir, stateTables: copied = STATE_TABLE_NAMES } = options;
  const versions = await readVersions(source, options.asOf);
  const [published, bronze, quarantine, state] = [
    await publishedTables(source, versions),
    await bronzeTables(source),
    await quarantineTables(source, versions),
    await stateTables(source, copied),
  ];
  const files = [...published, ...bronze, ...quarantine].flatMap(readFiles);
  const paths = await cacheObjects(source, files, cacheDir);
  const pathsOf = (table: TableFiles) => readFiles(table).flatMap(({ key }) => paths.get(key) ?? []);

  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  const views: LakeView[] = [];
  await connection.run("SET TimeZone = 'UTC'");
  for (const table of published) views.push(await addFiles(connection, table, "published", pathsOf(table)));
  const bronzeNames = contracts.map(({ topic }) => `bronze_${topic}`);
  const quarantineNames = contracts
    .filter(({ checks }) => checks.some(({ onFail }) => onFail === "quarantine"))
    .map(({ topic }) => quarantineName(topic));
  for (const table of withEvery(bronzeNames, bronze))
    views.push(await addFiles(connection, table, "bronze", pathsOf(table)));
  for (const table of withEvery(quarantineNames, quarantine))
    views.push(await addFiles(connection, table, "quarantine", pathsOf(table)));
  if (!views.some((view) => view.name === DEAD_LETTERS.view)) {
    const bronzeView = views.find((view) => view.name === DEAD_LETTERS.bronze);
    if (bronzeView !== undefined) {
      await connection.run(`CREATE VIEW ${DEAD_LETTERS.view} AS SELECT * FROM ${DEAD_LETTERS.bronze}`);
      views.push({ ...bronzeView, name: DEAD_LETTERS.view });
    }
  }
  for (const table of state) views.push(await addState(connection, table));
  return {
    connection,
    views,
    versions,
    close() {
      connection.closeSync();
      instance.closeSync();
    },
  };
}

function readFiles(table: TableFiles) {
  return table.files.length === 0 && table.schemaFile !== undefined ? [table.schemaFile] : table.files;
}

function withEvery(expected: readonly string[], tables: readonly TableFiles[]): TableFiles[] {
  const names = new Set(tables.map((table) => table.name));
  const empty = expected.filter((name) => !names.has(name));
  return [...tables, ...empty.map((name) => ({ name, files: [], rows: 0 }))].sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function addFiles(
  connection: DuckDBConnection,
  table: TableFiles,
  kind: Exclude<LakeView["kind"], "state">,
  paths: readonly string[],
): Promise<LakeView> {
  const { name, rows } = table;
  if (paths.length > 0) {
    const rowsShown = table.files.length > 0 ? "all" : "none";
    await connection.run(parquetView(name, paths, rowsShown, evolvedColumns(name)));
  } else {
    const fields = fieldsOf(name);
    if (fields !== undefined) await connection.run(emptyView(name, fields));
  }
  return { name, kind, rows };
}

/** The columns of a table that has no file yet. */
function fieldsOf(name: string): readonly Field[] | undefined {
  for (const contract of contracts) {
    if (name === `bronze_${contract.topic}`) return bronzeFields(contract);
    if (name === quarantineName(contract.topic)) return quarantineFields(contract);
  }
  return undefined;
}

/** The columns that older files of a topic's table may lack. */
function evolvedColumns(name: string): readonly Field[] {
  const contract = contracts.find(({ topic }) =>
    [`bronze_${topic}`, silverTableName(topic), quarantineName(topic)].includes(name),
  );
  return contract === undefined ? [] : evolvedFields(contract);
}

async function addState(connection: DuckDBConnection, table: StateTable): Promise<LakeView> {
  const { name, columns, rows } = table;
  await connection.run(stateTable(name, columns));
  const appender = await connection.createAppender(name);
  for (const row of rows) {
    for (const column of columns) append(appender, column.type, row[column.name]);
    appender.endRow();
  }
  appender.closeSync();
  return { name, kind: "state", rows: rows.length };
}

type Appender = Awaited<ReturnType<DuckDBConnection["createAppender"]>>;

function append(appender: Appender, type: string, value: CatalogRow[string]): void {
  if (value === null || value === undefined) appender.appendNull();
  else if (type === "REAL") appender.appendDouble(Number(value));
  else if (type === "INTEGER" || type === "INT") appender.appendBigInt(BigInt(Math.trunc(Number(value))));
  else appender.appendVarchar(String(value));
}
