/** The planner's policy from the contracts: when a partition of a table closes. */

import { dependentsOf, type Table, tables } from "../../tables/catalog.ts";
import type { PlanPolicy } from "./machine.ts";

const DAY_MS = 86_400_000;
/** For tables that no contract speaks of. */
const DEFAULT_LATENESS_MS = 3_600_000;

// A derived table is open as long as any of its inputs.
const latenessByDomain = new Map(tables.map((table) => [table.domain, latenessOf(table)]));

function latenessOf(table: Table): number {
  if (table.kind === "topic") return table.contract.latenessMs;
  const inputs = tables.filter((other) => other.kind === "topic" && dependentsOf(other.name).includes(table.domain));
  return Math.max(DEFAULT_LATENESS_MS, ...inputs.map(latenessOf));
}

export const planPolicy: PlanPolicy = {
  knows: (domain) => latenessByDomain.has(domain),
  closesAt: (domain, date) =>
    Date.parse(`${date}T00:00:00Z`) + DAY_MS + (latenessByDomain.get(domain) ?? DEFAULT_LATENESS_MS),
  maxRetries: 5,
  requeueAfterMs: 60_000,
};
