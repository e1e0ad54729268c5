/** DuckDB for one build: bounded in memory, and without access to anything but its folders. */
import { type DuckDBConnection, DuckDBInstance, StatementType } from "@duckdb/node-api";
import { quoteText } from "../../schemas/sql-quoting.ts";
import { reasonOf } from "../stopped.ts";

export interface SessionOptions {
  readonly memoryBytes: number;
  readonly threads: number;
  /** DuckDB spills there what does not fit into its memory. */
  readonly spillDir: string;
  /** Folders whose files the SQL may read and write, besides. */
  readonly allowedDirs: readonly string[];
  readonly signal: AbortSignal;
}

/** A value as DuckDB's JSON has it: numbers of 64 bits and more, and decimals, are texts. */
export type Row = Readonly<Record<string, unknown>>;

export interface Session {
  /** Runs one statement to its end. Throws what DuckDB throws, or the signal's reason once it is aborted. */
  run(sql: string): Promise<Row[]>;
  /** Throws TypeError for a text that is not one SELECT statement, such as two, or a COPY. */
  demandOneSelect(sql: string): Promise<void>;
  /** From 0 to 1 of the statement that runs; null: not known. */
  progress(): number | null;
  close(): void;
}

/** A statement that is not running yet does not see an interrupt: it is told again until it ends. */
const INTERRUPT_EVERY_MS = 50;

export async function openSession(options: SessionOptions): Promise<Session> {
  const { signal } = options;
  const instance = await DuckDBInstance.create(":memory:", {
    threads: String(options.threads),
    memory_limit: `${Math.floor(options.memoryBytes / 1_000)}KB`,
    temp_directory: options.spillDir,
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
  });
  const connection = await instance.connect();

  async function run(sql: string): Promise<Row[]> {
    if (signal.aborted) throw reasonOf(signal);
    let again: NodeJS.Timeout | undefined;
    const interrupt = () => {
      connection.interrupt();
      again = setTimeout(interrupt, INTERRUPT_EVERY_MS);
    };
    signal.addEventListener("abort", interrupt, { once: true });
    try {
      return (await connection.runAndReadAll(sql)).getRowObjectsJson();
    } catch (error) {
      throw signal.aborted ? reasonOf(signal) : error;
    } finally {
      clearTimeout(again);
      signal.removeEventListener("abort", interrupt);
    }
  }

  for (const setting of settings(options)) await run(setting);
  return {
    run,
    demandOneSelect: (sql) => demandOneSelect(connection, sql),
    progress() {
      const { percentage } = connection.progress;
      return percentage > 0 && percentage <= 100 ? percentage / 100 : null;
    },
    close() {
      connection.closeSync();
      instance.closeSync();
    },
  };
}

function settings({ allowedDirs, spillDir }: SessionOptions): string[] {
  const allowed = [spillDir, ...allowedDirs].map((dir) => quoteText(`${dir}/`)).join(", ");
  return [
    "SET TimeZone = 'UTC'",
    // Rows come in the order that a statement asks for, or in any: what keeps them as they were read takes memory.
    "SET preserve_insertion_order = false",
    "SET enable_progress_bar = true",
    "SET enable_progress_bar_print = false",
    `SET allowed_directories = [${allowed}]`,
    "SET enable_external_access = false",
    // The last one: no SQL of an order can take any of these back.
    "SET lock_configuration = true",
  ];
}

async function demandOneSelect(connection: DuckDBConnection, sql: string): Promise<void> {
  const statements = await connection.extractStatements(sql);
  if (statements.count !== 1) throw new TypeError(`the order's SQL is ${statements.count} statements, not one`);
  const statement = await statements.prepare(0);
  try {
    if (statement.statementType !== StatementType.SELECT) throw new TypeError("the order's SQL is no SELECT");
  } finally {
    statement.destroySync();
  }
}
