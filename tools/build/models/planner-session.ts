import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import type { Field } from "../../../lakehouse/engine/columns/column.ts";
import { irTypeOf, sqlName } from "../../../lakehouse/engine/ir/ir-types.ts";
import type { Grain } from "../../../lakehouse/engine/ir/relation.ts";
import { quoteName, quoteText } from "../../../schemas/sql-quoting.ts";
import {
  isObject,
  type Json,
  type JsonObject,
  listAt,
  objectAt,
  objectsAt,
  PlanShapeError,
  parseJson,
} from "./json.ts";
import type { KeyOf } from "./lineage.ts";

/** A table that models may read. `partition` is one of its columns, but in a table of one partition. */
export interface TableSchema {
  readonly name: string;
  readonly partition: string;
  readonly fields: readonly Field[];
  /** Day, where absent. */
  readonly grain?: Grain;
  /** Columns that are unique together within a partition. */
  readonly key?: readonly string[];
}

/** DuckDB's refusal of a statement; `byte` is an offset in the statement's UTF-8. */
export interface Refusal {
  readonly kind: string;
  readonly message: string;
  readonly subtype: string;
  readonly byte: number;
  readonly name: string | undefined;
  readonly candidates: readonly string[];
}

export interface PlannerSession {
  /** Adds a table that later statements may read. */
  addTable(table: TableSchema): Promise<void>;
  /** The columns of each table that the statement needs, by the plan that DuckDB's own pruning leaves. */
  columnsRead(sql: string): Promise<ReadonlyMap<string, readonly string[]>>;
  /** Whether DuckDB has an aggregate of this name. */
  isAggregate(functionName: string): boolean;
  /** The statements of `sql` as syntax trees, for positions and for counting; or why it does not parse or is no SELECT. */
  parse(sql: string): Promise<readonly JsonObject[] | Refusal>;
  /** The bound, unoptimised logical plan of one SELECT. */
  plan(sql: string): Promise<JsonObject | Refusal>;
  /** The types of the result's columns, as plans have them. */
  outputTypes(sql: string): Promise<readonly JsonObject[]>;
  /** One statement without the semicolon that may end it, so that it can stand in another query. */
  withoutSemicolon(sql: string): Promise<string>;
  /** Names and DuckDB types of the result's columns. */
  describe(sql: string): Promise<readonly { readonly name: string; readonly type: string }[]>;
  /** Whether DuckDB says that the function's result changes from call to call or from query to query. */
  isVolatile(functionName: string): boolean;
  readonly keyOf: KeyOf;
  close(): void;
}

export function isRefusal(answer: object): answer is Refusal {
  return "subtype" in answer && "candidates" in answer;
}

/** DuckDB's own version, as in `v1.5.6`. */
export async function duckdbVersion(): Promise<string> {
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  try {
    const [version] = await column(connection, "SELECT version()");
    return String(version);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** An in-process DuckDB with the tables, empty; in UTC, without access to files or network. */
export async function openPlannerSession(tables: readonly TableSchema[]): Promise<PlannerSession> {
  const instance = await DuckDBInstance.create(":memory:", { threads: "1" });
  const connection = await instance.connect();
  await connection.run("SET TimeZone = 'UTC'");
  await connection.run("SET enable_external_access = false");
  const keys = new Map<string, readonly string[]>();
  const addTable = async (table: TableSchema) => {
    const dated = table.grain === "one" ? [] : [table.partition];
    if (table.key !== undefined) keys.set(table.name, [...new Set([...table.key, ...dated])]);
    const columns = table.fields.map((field) => `${quoteName(field.name)} ${sqlName(irTypeOf(field.type))}`);
    await connection.run(`CREATE TABLE ${quoteName(table.name)} (${columns.join(", ")})`);
  };
  for (const table of tables) await addTable(table);
  functions ??= functionNames(connection);
  const { aggregates, volatile } = await functions;

  const pruned = async (sql: string) => {
    await connection.run(`SET disabled_optimizers = ${quoteText(await otherOptimizers(connection))}`);
    try {
      return await serialized(connection, `SELECT json_serialize_plan(${quoteText(sql)}, optimize := true)`);
    } finally {
      await connection.run("RESET disabled_optimizers");
    }
  };

  const parse: PlannerSession["parse"] = async (sql) => {
    const answer = await serialized(connection, `SELECT json_serialize_sql(${quoteText(sql)})`);
    return isRefusal(answer) ? answer : objectsAt(answer, "statements");
  };
  const plan: PlannerSession["plan"] = async (sql) => {
    // It takes nothing but a constant: the statement is passed as a literal.
    const answer = await serialized(connection, `SELECT json_serialize_plan(${quoteText(sql)}, optimize := false)`);
    if (isRefusal(answer)) return answer;
    const [first] = objectsAt(answer, "plans");
    if (first === undefined) throw new PlanShapeError("DuckDB gave no plan");
    return first;
  };
  /** DuckDB says where the statement ends: a semicolon in a text or a comment ends none. */
  const withoutSemicolon = async (sql: string) => {
    const tree = async (text: string) =>
      JSON.stringify(await parse(text), (_key, value: unknown) => (typeof value === "bigint" ? String(value) : value));
    const whole = await tree(sql);
    for (let at = sql.indexOf(";"); at >= 0; at = sql.indexOf(";", at + 1)) {
      const statement = sql.slice(0, at).trimEnd();
      if ((await tree(statement)) === whole) return statement;
    }
    return sql;
  };

  return {
    addTable,
    parse,
    plan,
    withoutSemicolon,
    async outputTypes(sql) {
      const all = await plan(`SELECT * FROM (\n${await withoutSemicolon(sql)}\n)`);
      if (isRefusal(all)) throw new PlanShapeError(all.message);
      return objectsAt(all, "expressions").map((expression) => objectAt(expression, "return_type"));
    },
    async columnsRead(sql) {
      const answer = await pruned(sql);
      if (!isRefusal(answer)) return scannedColumns(answer);
      // DuckDB's pruning may fail alone. Then what the statement names is what it reads.
      const whole = await plan(sql);
      if (isRefusal(whole)) throw new PlanShapeError(whole.message);
      return scannedColumns(whole);
    },
    isAggregate: (name) => aggregates.has(name),
    async describe(sql) {
      const reader = await connection.runAndReadAll(`DESCRIBE ${sql}`);
      return reader.getRows().map((row) => ({ name: String(row[0]), type: String(row[1]) }));
    },
    isVolatile: (name) => volatile.has(name) || OF_SESSION.has(name),
    keyOf: (table) => keys.get(table),
    close: () => {
      connection.closeSync();
      instance.closeSync();
    },
  };
}

/** Functions of the session and of the program, which DuckDB takes for constants. */
const OF_SESSION = new Set("current_setting getvariable version current_localtime current_localtimestamp".split(" "));

/** All optimizers but the one that drops columns which nobody reads: over empty tables the others may drop the tables. */
async function otherOptimizers(connection: DuckDBConnection): Promise<string> {
  const names = await column(connection, "SELECT name FROM duckdb_optimizers() WHERE name <> 'unused_columns'");
  return names.join(",");
}

function scannedColumns(plan: JsonObject): ReadonlyMap<string, readonly string[]> {
  const tables = new Map<string, Set<string>>();
  const visit = (json: Json | undefined): void => {
    if (Array.isArray(json)) for (const item of json) visit(item);
    if (!isObject(json)) return;
    const data = json["function_data"];
    const table = isObject(data) ? data["table"] : undefined;
    if (json["type"] === "LOGICAL_GET" && json["name"] === "seq_scan" && typeof table === "string") {
      const names = listAt(json, "names");
      const read = objectsAt(json, "column_indexes").flatMap(({ index }) =>
        typeof index === "number" ? [String(names[index])] : [],
      );
      tables.set(table, (tables.get(table) ?? new Set()).union(new Set(read)));
    }
    for (const value of Object.values(json)) visit(value);
  };
  visit(plan);
  return new Map([...tables].map(([table, read]) => [table, [...read].sort()]));
}

interface FunctionNames {
  readonly aggregates: ReadonlySet<string>;
  readonly volatile: ReadonlySet<string>;
}

/** DuckDB's own functions are the same in each session, and to list them takes longer than all else that a session does. */
let functions: Promise<FunctionNames> | undefined;

async function functionNames(connection: DuckDBConnection): Promise<FunctionNames> {
  const named = async (condition: string) =>
    new Set((await column(connection, `SELECT function_name FROM duckdb_functions() WHERE ${condition}`)).map(String));
  return {
    aggregates: await named("function_type = 'aggregate'"),
    volatile: await named("stability <> 'CONSISTENT'"),
  };
}

async function column(connection: DuckDBConnection, sql: string): Promise<readonly unknown[]> {
  const reader = await connection.runAndReadAll(sql);
  return reader.getRows().map((row) => row[0]);
}

async function serialized(connection: DuckDBConnection, sql: string): Promise<JsonObject | Refusal> {
  let text: unknown;
  try {
    [text] = await column(connection, sql);
  } catch (error) {
    // What DuckDB cannot even take as a text, such as a NUL character.
    const message = error instanceof Error ? error.message : String(error);
    return { kind: "unknown", message, subtype: "", byte: 0, name: undefined, candidates: [] };
  }
  const answer = parseJson(String(text));
  if (!isObject(answer)) throw new PlanShapeError("DuckDB's answer is no JSON object");
  if (answer["error"] !== true) return answer;
  return {
    kind: optionalText(answer["error_type"]) ?? "unknown",
    message: optionalText(answer["error_message"]) ?? "unknown error",
    subtype: optionalText(answer["error_subtype"]) ?? "",
    byte: Number(optionalText(answer["position"]) ?? 0),
    name: optionalText(answer["name"]),
    candidates: (optionalText(answer["candidates"]) ?? "").split(",").filter((name) => name !== ""),
  };
}

function optionalText(json: Json | undefined): string | undefined {
  return typeof json === "string" ? json : undefined;
}
