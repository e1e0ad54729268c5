/** What there is to read, from D1: the files of each table, and the tables of the catalog itself. */
import type { LakeObject } from "./object-cache.ts";
import type { CatalogRow, LakeSource } from "./source.ts";

export interface TableFiles {
  readonly name: string;
  /** Live files; none for a table that is empty. */
  readonly files: readonly LakeObject[];
  readonly rows: number;
  /** For a table without live files: an older one that still tells the columns. */
  readonly schemaFile?: LakeObject;
}

export interface StateTable {
  readonly name: string;
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly rows: readonly CatalogRow[];
}

/**
 * The tables of D1 that are worth querying, and what their rows are read from: a view that goes on where a table ends has the
 * table's columns, and no types of its own. The rest is the machine's own.
 */
export const STATE_TABLES = {
  partition_meta: "partition_meta",
  runs: "run_history",
  quality_results: "check_history",
  bronze_files: "bronze_files",
  ledger: "ledger",
  snapshots: "snapshots",
} as const;

/** Their names. */
export const STATE_TABLE_NAMES: readonly string[] = Object.keys(STATE_TABLES);

/** Dead letters are a topic: until silver holds them, bronze does. */
export const DEAD_LETTERS = { view: "dead_letters", bronze: "bronze_dead_letters" };

/** Every table that is published or was once, by name. One statement, so that the snapshots are those of one moment. */
export async function publishedTables(source: LakeSource): Promise<TableFiles[]> {
  const rows = await source.query(
    `SELECT s.table_name AS name, f.file AS key, f.bytes, f.rows, p.snapshot_id IS NOT NULL AS live
     FROM snapshots s JOIN snapshot_files f USING (snapshot_id) LEFT JOIN published p USING (snapshot_id)
     ORDER BY s.table_name, s.partition_date, f.file`,
  );
  return byName(rows);
}

/** The bronze files of each topic that has any, as `bronze_<topic>`. */
export async function bronzeTables(source: LakeSource): Promise<TableFiles[]> {
  const rows = await source.query(
    `SELECT 'bronze_' || topic AS name, file AS key, bytes, rows, retired_by IS NULL AS live
     FROM bronze_files ORDER BY topic, file`,
  );
  return byName(rows);
}

/** The rows that quality checks keep out of each topic's published partitions, as `quarantine_<topic>`. */
export async function quarantineTables(source: LakeSource): Promise<TableFiles[]> {
  const rows = await source.query(
    `SELECT 'quarantine_' || substr(p.table_name, length('silver_') + 1) AS name, q.file AS key, q.bytes, q.rows, 1 AS live
     FROM published p JOIN quarantine_files q USING (snapshot_id) ORDER BY p.table_name, p.partition_date, q.file`,
  );
  return byName(rows);
}

/** Those of these tables of the catalog that exist, whole. */
export async function stateTables(source: LakeSource, names: readonly string[]): Promise<StateTable[]> {
  const tables: StateTable[] = [];
  for (const [name, from] of Object.entries(STATE_TABLES)) {
    if (!names.includes(name)) continue;
    const columns = await source.query(`SELECT name, type FROM pragma_table_info('${name}') ORDER BY cid`);
    if (columns.length === 0) continue;
    tables.push({
      name,
      columns: columns.map((column) => ({ name: String(column["name"]), type: String(column["type"]) })),
      rows: await source.query(`SELECT * FROM ${from}`),
    });
  }
  return tables;
}

function byName(rows: readonly CatalogRow[]): TableFiles[] {
  const groups = Map.groupBy(rows, (row) => String(row["name"]));
  return [...groups].map(([name, all]) => {
    const live = all.filter((row) => row["live"] === 1);
    const retired = all.at(-1);
    const table = { name, files: live.map(objectOf), rows: live.reduce((sum, row) => sum + Number(row["rows"]), 0) };
    return live.length > 0 || retired === undefined ? table : { ...table, schemaFile: objectOf(retired) };
  });
}

function objectOf(row: CatalogRow): LakeObject {
  return { key: String(row["key"]), bytes: Number(row["bytes"]) };
}
