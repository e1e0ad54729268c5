/** An order's checks over the files that were written. */
import * as z from "zod";
import type { WireCheck, WireMeasure, WorkOrder } from "../../lakehouse/builds/native/wire.ts";
import { quoteName } from "../../schemas/sql-quoting.ts";
import { isValueError } from "./error-text.ts";
import { filesSource } from "./input-views.ts";
import type { OutputFile } from "./output.ts";
import type { Session } from "./session.ts";

const tally = z.object({ rows: z.coerce.number().int(), of: z.coerce.number().int() });

/**
 * Runs each check over the files that were written, and gives what it measured. A value of a query that cannot be computed is a problem
 * of that check; every other error of DuckDB is thrown, and fails the build.
 */
export async function measureChecks(
  session: Session,
  { table, checks }: WorkOrder,
  files: readonly OutputFile[],
  onProgress: (done: number) => void,
): Promise<WireMeasure[]> {
  if (checks.length === 0) return [];
  // An input of the table's own name has done its work.
  await session.run(
    `CREATE OR REPLACE VIEW ${quoteName(table)} AS SELECT * FROM ${filesSource(files.map(({ path }) => path))}`,
  );
  const measures: WireMeasure[] = [];
  for (const [index, check] of checks.entries()) {
    onProgress(index / checks.length);
    measures.push(await measure(session, check));
  }
  return measures;
}

async function measure(session: Session, { id, kind, sql }: WireCheck): Promise<WireMeasure> {
  if (kind === "query") return { id, ...(await measureQuery(session, sql)) };
  await session.demandOneSelect(sql);
  const [row] = await session.run(sql);
  return { id, ...tally.parse(row) };
}

/** The number of a query, or why there is none, in the words of the edge's builds. */
async function measureQuery(session: Session, sql: string): Promise<Pick<WireMeasure, "value" | "problem">> {
  try {
    await session.demandOneSelect(sql);
    const [row] = await session.run(sql);
    if (row === undefined) return { value: null, problem: "the query gave no row" };
    const [value] = Object.values(row);
    if (value === null) return { value: null, problem: "the query gave NULL" };
    // Truth values are 1 and 0; numbers of many digits are texts.
    const number = Number(value);
    return Number.isFinite(number) ? { value: number } : { value: null, problem: `the query gave ${number}` };
  } catch (error) {
    if (isValueError(error)) return { value: null, problem: "a value of the query cannot be computed" };
    throw error;
  }
}
