/** Runs an order's SQL and writes its rows as Parquet files in the table's layout. */
import * as z from "zod";
import { MAX_OUTPUT_FILES, type WorkOrder } from "../../lakehouse/builds/native/wire.ts";
import { quoteName, quoteText } from "../../schemas/sql-quoting.ts";
import { BuildFailure } from "../failure.ts";
import type { Row, Session } from "./session.ts";

export interface OutputFile {
  readonly path: string;
  readonly bytes: number;
  readonly rows: number;
}

/** No name of an input is in this schema, so none can be in the way. */
const RESULT = '"_sluice"."result"';

/** The order's SELECT as a view, whose columns have the order's names, whatever the SQL calls them. */
function resultView({ sql, output }: WorkOrder): string {
  return `CREATE VIEW ${RESULT} (${output.columns.map(({ name }) => quoteName(name)).join(", ")}) AS ${sql}`;
}

/** The statement that writes the rows into files of `folder`. */
export function copyStatement({ output }: WorkOrder, folder: string): string {
  const columns = output.columns.map(({ name, type }) => `CAST(${quoteName(name)} AS ${type}) AS ${quoteName(name)}`);
  const { partition, order } = output;
  const rows = `SELECT * FROM (SELECT ${columns.join(", ")} FROM ${RESULT})${
    partition === null ? "" : ` WHERE ${quoteName(partition.column)} = ${quoteText(partition.date)}`
  }${order.length === 0 ? "" : ` ORDER BY ${order.map((name) => `${quoteName(name)} ASC NULLS LAST`).join(", ")}`}`;
  const metadata = Object.entries(output.metadata).map(([key, value]) => `${quoteName(key)}: ${quoteText(value)}`);
  return `COPY (${rows}) TO ${quoteText(folder)} (${[
    "FORMAT parquet",
    "COMPRESSION zstd",
    // The encodings that every reader knows.
    "PARQUET_VERSION 'V1'",
    `ROW_GROUP_SIZE ${output.row_group_rows}`,
    `FILE_SIZE_BYTES ${output.file_bytes}`,
    // Without it several threads write into one file as they come, and its rows are in no order.
    "PER_THREAD_OUTPUT true",
    "FILENAME_PATTERN 'part-{i}'",
    ...(metadata.length === 0 ? [] : [`KV_METADATA {${metadata.join(", ")}}`]),
    "RETURN_STATS true",
  ].join(", ")})`;
}

const written = z.object({ filename: z.string(), count: z.coerce.number(), file_size_bytes: z.coerce.number() });

/** Runs the SQL and writes its rows under `folder`, which must not be there. At least one file, which may have no rows. */
export async function writeOutput(session: Session, order: WorkOrder, folder: string): Promise<OutputFile[]> {
  await session.demandOneSelect(order.sql);
  await session.run('CREATE SCHEMA "_sluice"');
  await session.run(resultView(order));
  await demandColumns(session, order);
  const files = (await session.run(copyStatement(order, folder))).map(fileOf);
  const rows = files.reduce((sum, file) => sum + file.rows, 0);
  const { max_rows } = order.output;
  if (max_rows !== null && rows > max_rows) {
    const detail = `it gives ${rows} rows, and may give ${max_rows}`;
    throw new BuildFailure(
      "data",
      `The model's bound is passed: ${detail}. Raise max_rows in its front matter, or group by less.`,
    );
  }
  const filled = files.filter(({ rows }) => rows > 0);
  const kept = filled.length === 0 ? files.slice(0, 1) : filled;
  if (kept.length > MAX_OUTPUT_FILES) {
    throw new BuildFailure(
      "data",
      `The rows take ${kept.length} files, a version has ${MAX_OUTPUT_FILES} at the most. Give the model a finer partition.`,
    );
  }
  return kept;
}

/** A view keeps columns that have no name in its list. */
async function demandColumns(session: Session, { output }: WorkOrder): Promise<void> {
  const { length } = await session.run(`DESCRIBE ${RESULT}`);
  if (length === output.columns.length) return;
  throw new BuildFailure("data", `The SQL gives ${length} columns, the table has ${output.columns.length}.`);
}

function fileOf(row: Row): OutputFile {
  const { filename, count, file_size_bytes } = written.parse(row);
  return { path: filename, bytes: file_size_bytes, rows: count };
}
