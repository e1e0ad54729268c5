/** The planner's policy from the contracts and the models: what this deploy builds, when a partition closes, how long its news waits. */
import { dependentsOf, type Table, tableOfDomain, tables } from "../../tables/catalog.ts";
import { closesAt } from "./dependencies.ts";
import type { PlanPolicy } from "./machine.ts";

/** A topic that got late rows is revised once an hour at the most, or once they are many. */
const LATE_WAIT_MS = 3_600_000;
/** Tables with several inputs change with each of them. */
const SEVERAL_INPUTS_WAIT_MS = 900_000;

// A table with one input follows its builds, which have waited already; the ledger is an input of its own kind, fed by every flush.
const waitByDomain = new Map(tables.map((table) => [table.domain, waitOf(table)]));

function waitOf(table: Table): number {
  if (table.kind === "topic") return table.contract.buildAfterMs;
  const inputs = tables.filter((other) => dependentsOf(other.name).includes(table.domain));
  return table.kind === "ledger" || inputs.length > 1 ? SEVERAL_INPUTS_WAIT_MS : 0;
}

const isTopic = new Set(tables.filter(({ kind }) => kind === "topic").map(({ domain }) => domain));

export const planPolicy: PlanPolicy = {
  knows: (domain) => tableOfDomain(domain) !== undefined,
  closesAt,
  waitMs: (domain, closed) => (closed && isTopic.has(domain) ? LATE_WAIT_MS : (waitByDomain.get(domain) ?? 0)),
  maxRetries: 5,
  requeueAfterMs: 60_000,
};

/** `buildAfterSeconds` (a variable of the deployment, "0" for none) goes over every wait that is longer. */
export function planPolicyFor(buildAfterSeconds: string): PlanPolicy {
  const seconds = Number(buildAfterSeconds);
  if (!(seconds > 0)) return planPolicy;
  return { ...planPolicy, waitMs: (domain, closed) => Math.min(planPolicy.waitMs(domain, closed), seconds * 1_000) };
}
