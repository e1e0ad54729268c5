/** The tables that calls about builds name: by table (`silver_orders`) or, for a topic's silver, by topic, as partition_meta does. */
import { type Table, tableByName, tableOfDomain, tables } from "../lakehouse/tables/catalog.ts";
import type { Rights } from "./access/need.ts";
import { forbidden, type Reach } from "./access/reach.ts";
import { ProblemError } from "./problem.ts";

/** Throws the problem UNKNOWN_TABLE, naming those that are built. */
export function builtTable(name = ""): Table {
  const table = tableByName(name) ?? tableOfDomain(name);
  if (table !== undefined) return table;
  const names = tables.map((each) => each.name);
  throw new ProblemError("UNKNOWN_TABLE", `no table "${name.slice(0, 100)}" is built here`, { tables: names });
}

/** The topic that a right on the table is a right on; null: it tells of several topics. */
export function topicOf(table: Table): string | null {
  return table.kind === "topic" ? table.contract.topic : null;
}

/** The table that the caller named. Throws the problems UNKNOWN_TABLE, and FORBIDDEN where the key lacks `rights` on it. */
export function reachedTable(reach: Reach, rights: Rights, name: string): Table {
  const table = builtTable(name);
  if (!reach.has(topicOf(table))) throw forbidden(rights, topicOf(table) ?? "*");
  return table;
}

/** The domains that a list may tell of: of the table that is named, else of all that the key may read; null: every domain. */
export function reachedDomains(reach: Reach, rights: Rights, name: string | undefined): readonly string[] | null {
  if (name !== undefined) return [reachedTable(reach, rights, name).domain];
  return reach.topics === null ? null : [...reach.topics];
}

/** Whether a key may see a domain in a list. A domain that this deploy does not build counts as a topic of that name. */
export function reachesDomain(reach: Reach, domain: string): boolean {
  const table = tableOfDomain(domain);
  return reach.has(table === undefined ? domain : topicOf(table));
}
