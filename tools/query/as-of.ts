/** `--as-of`: which versions of the published tables a query reads. */
import { CommandProblem } from "../command-problem.ts";
import type { AsOf } from "../lake/catalog.ts";

/**
 * A time, `TABLE@VERSION`, or a version alone where the query names one published table. Throws CommandProblem (USAGE) for anything else.
 */
export function asOfFlag(text: string, sql: string, tables: readonly string[]): AsOf {
  const named = /^(\w+)@(\d{1,15})$/.exec(text);
  if (named !== null) {
    const [, table = "", version] = named;
    if (!tables.includes(table))
      throw new CommandProblem(
        "USAGE",
        `--as-of ${text}: no table ${table} is published; there are ${tables.join(", ")}.`,
      );
    return { versions: new Map([[table, Number(version)]]) };
  }
  if (/^\d{1,15}$/.test(text)) {
    const words = new Set(sql.match(/\w+/g));
    const [table, ...others] = tables.filter((name) => words.has(name));
    if (table !== undefined && others.length === 0) return { versions: new Map([[table, Number(text)]]) };
    const found = table === undefined ? "no published table" : [table, ...others].join(", ");
    throw new CommandProblem(
      "USAGE",
      `--as-of ${text}: a version is one of a table, and the query names ${found}. Write --as-of TABLE@${text}.`,
    );
  }
  const time = /^\d{4}-\d\d-\d\d([T ][\d:.]+Z?)?$/.test(text) ? Date.parse(isoOf(text)) : Number.NaN;
  if (Number.isNaN(time)) {
    throw new CommandProblem(
      "USAGE",
      `--as-of takes a UTC time (2026-11-21T10:00:00Z), a version (41) or TABLE@VERSION, not "${text}".`,
    );
  }
  return { time: new Date(time).toISOString(), versions: new Map() };
}

function isoOf(text: string): string {
  if (text.length === 10) return `${text}T00:00:00Z`;
  const iso = text.replace(" ", "T");
  return iso.endsWith("Z") ? iso : `${iso}Z`;
}
