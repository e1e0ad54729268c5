import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  DuckDBBlobValue,
  type DuckDBConnection,
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBInstance,
  DuckDBListValue,
  DuckDBStructValue,
  DuckDBTimestampTZValue,
  type DuckDBValue,
} from "@duckdb/node-api";
import { decimalText, type Value } from "../../../../../lakehouse/engine/columns/value.ts";

/** DuckDB with a directory for files, as the reader we did not write. */
export class DuckDBOracle implements AsyncDisposable {
  readonly #connection: DuckDBConnection;
  readonly #directory: string;
  #files = 0;

  private constructor(connection: DuckDBConnection, directory: string) {
    this.#connection = connection;
    this.#directory = directory;
  }

  static async open(): Promise<DuckDBOracle> {
    const instance = await DuckDBInstance.create(":memory:", { threads: "1" });
    const connection = await instance.connect();
    await connection.run("SET TimeZone = 'UTC'");
    return new DuckDBOracle(connection, await mkdtemp(join(tmpdir(), "sluice-parquet-")));
  }

  /** Rows of a query in which `FILE` stands for a Parquet file of these bytes, in the forms that `rowAt` gives. */
  async query(bytes: Uint8Array, sql: string): Promise<Record<string, Value>[]> {
    const path = this.newPath();
    await writeFile(path, bytes);
    return this.run(sql.replaceAll("FILE", `'${path}'`));
  }

  async run(sql: string): Promise<Record<string, Value>[]> {
    const reader = await this.#connection.runAndReadAll(sql);
    const names = reader.columnNames();
    return reader.getRows().map((row) => Object.fromEntries(row.map((value, i) => [names[i] ?? "", plain(value)])));
  }

  newPath(): string {
    return join(this.#directory, `${this.#files++}.parquet`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#connection.closeSync();
    await rm(this.#directory, { recursive: true });
  }
}

function plain(value: DuckDBValue): Value {
  if (value instanceof DuckDBDecimalValue) return decimalText(value.value, value.scale);
  if (value instanceof DuckDBTimestampTZValue) return value.micros;
  if (value instanceof DuckDBDateValue) return value.days;
  if (value instanceof DuckDBBlobValue) return Uint8Array.from(value.bytes);
  if (value instanceof DuckDBListValue) return value.items.map(plain);
  if (value instanceof DuckDBStructValue) {
    return Object.fromEntries(Object.entries(value.entries).map(([name, field]) => [name, plain(field)]));
  }
  if (value === null || typeof value !== "object") return value;
  throw new TypeError(`no plain form for ${value.constructor.name}`);
}
