/**
 * What a table may be called: a gold table as its file `sql/gold/<name>.sql`, a derived silver table after it. Analysts write the name into their SQL, beside the
 * tables of the platform and DuckDB's own, so that a name which is taken would hide one of them, or break every query.
 */
import { DEAD_LETTERS, STATE_TABLES } from "../../lake/catalog.ts";
import type { ModelError } from "./model-error.ts";
import { isRefusal, type PlannerSession } from "./planner-session.ts";

/** As long as a name is in PostgreSQL and most catalogs. */
const MAX_LENGTH = 63;
/** Tables of each topic begin so. */
const PREFIXES = ["bronze_", "silver_", "quarantine_"];
const TAKEN: readonly string[] = [...Object.keys(STATE_TABLES), DEAD_LETTERS.view];

const LETTERS = "use lower-case letters, digits and _, a letter first";
const RENAME = "rename the file";

export type NameProblem = Pick<ModelError, "problem" | "fix">;

/**
 * Why no table can have this name; undefined if one can. `topics` are the names of the contracts' topics; `table` is the whole
 * name, where the file's is a part of it (`sql/silver/lines.sql` makes `silver_lines`).
 */
export async function tableNameProblem(
  name: string,
  topics: readonly string[],
  session: PlannerSession,
  table = name,
): Promise<NameProblem | undefined> {
  if (!/^[a-z][a-z0-9_]*$/.test(name)) return { problem: `the file's name makes no table name: ${name}`, fix: LETTERS };
  if (name.length > MAX_LENGTH)
    return {
      problem: `the table's name has ${name.length} characters`,
      fix: `${RENAME}: there is room for ${MAX_LENGTH}`,
    };
  const prefix = PREFIXES.find((each) => name.startsWith(each));
  if (prefix !== undefined)
    return {
      problem: `"${name}" is named like a ${prefix.slice(0, -1)} table of a topic`,
      fix: `${RENAME}, without ${prefix}`,
    };
  if (TAKEN.includes(name)) return { problem: `"${name}" is a table of the platform itself`, fix: RENAME };
  if (topics.includes(name))
    return { problem: `"${name}" is the name of a topic`, fix: `${RENAME}, such as daily_${name}` };
  // DuckDB is asked itself: a name that is free and no keyword is one of a table that it does not find.
  const answer = await session.plan(`SELECT * FROM ${table}`);
  if (!isRefusal(answer)) return { problem: `"${name}" is a table of DuckDB's own`, fix: RENAME };
  if (answer.subtype === "MISSING_ENTRY" && answer.name === table) return undefined;
  return { problem: `"${name}" is a word of SQL: a query could not name the table without quotes`, fix: RENAME };
}
