/** The planner's policy from the contracts and the models: what this deploy builds, when a partition closes, how long its news waits. */
import { type Table, tableOfDomain, tables } from "../../tables/catalog.ts";
import { isNativePartition, isNativeTable, maySend } from "../native/routing.ts";
import { closesAt, judgedAt, partitionsRead } from "./dependencies.ts";
import type { PlanPolicy } from "./machine.ts";

/** A topic that got late rows is revised once an hour at the most, or once they are many. */
const LATE_WAIT_MS = 3_600_000;
/** Tables with several inputs change with each of them, and those that read all of a table with each of its dates. */
const MANY_CHANGES_WAIT_MS = 900_000;

/** A native builder reads all of its inputs each time, and can sleep between two builds. At the closing it is asked again anyway. */
const NATIVE_WAIT_MS = 3_600_000;

const waitByDomain = new Map(tables.map((table) => [table.domain, waitOf(table)]));

/** A model that reads dates of one table follows its builds, which have waited already; the ledger is fed by every flush. */
export function waitOf(table: Table): number {
  if (table.kind === "topic") return table.contract.buildAfterMs;
  if (table.kind === "ledger") return MANY_CHANGES_WAIT_MS;
  const { inputs, buildAfterMs } = table.model;
  if (isNativeTable(table)) return Math.max(buildAfterMs ?? 0, NATIVE_WAIT_MS);
  const readsAll = inputs.some(({ relation: { kind } }) => kind === "all" || kind === "latest");
  return buildAfterMs ?? (inputs.length > 1 || readsAll ? MANY_CHANGES_WAIT_MS : 0);
}

const isTopic = new Set(tables.filter(({ kind }) => kind === "topic").map(({ domain }) => domain));

export const planPolicy: PlanPolicy = {
  knows: (domain) => tableOfDomain(domain) !== undefined,
  closesAt,
  judgedAt,
  partitionsRead,
  isNative: (domain, date, sent) => {
    const table = tableOfDomain(domain);
    return isNativePartition(table, date) || (sent && maySend(table));
  },
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
