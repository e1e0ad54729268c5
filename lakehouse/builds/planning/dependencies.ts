/** The dependencies of this deploy's models: which partitions a commit makes stale, and when a partition closes. */
import type { StalePartition } from "../../../sql/statements/stale-partitions.ts";
import { addDays, datesRead, firstDayOf, ONLY_PARTITION } from "../../engine/ir/relation.ts";
import { type Table, tableOfDomain, tables } from "../../tables/catalog.ts";
import { affected, type Dependency } from "./affected.ts";

const DAY_MS = 86_400_000;
/** For tables that no contract speaks of. */
const DEFAULT_LATENESS_MS = 3_600_000;
/** How far back partitions are looked through for those that are open: a month, its lateness and more. */
const MOST_OPEN_DAYS = 100;

// The catalog has a table behind those that it reads.
const models = tables.filter((table) => table.kind === "model");

const dependencies: readonly Dependency[] = models.flatMap(({ domain, model }) =>
  model.inputs.map(({ table, relation }) => ({ domain, grain: model.grain, input: table, relation })),
);

/** The partitions of models that the commit of a partition makes stale. `now` in milliseconds says which are open. */
export function staleAfter(table: string, date: string, now: number): StalePartition[] {
  return affected(dependencies, table, date, (domain) => openDates(domain, now));
}

/**
 * When a partition closes, in milliseconds since the epoch: when the last partition that it reads has closed, so that
 * lateness passes down from the contracts. A table of one partition never closes; what it looks up holds no table open.
 */
export function closesAt(domain: string, date: string): number {
  const table = tableOfDomain(domain);
  if (table?.kind !== "model") return endOf(date) + latenessOf(table);
  if (table.model.grain === "one") return Number.POSITIVE_INFINITY;
  const inputs = table.model.inputs.flatMap(({ table: name, relation }) => {
    const read = datesRead(relation, date);
    return typeof read === "string" ? [] : [closesAt(domainOf(name), read.to)];
  });
  return Math.max(...inputs);
}

function latenessOf(table: Table | undefined): number {
  return table?.kind === "topic" ? table.contract.latenessMs : DEFAULT_LATENESS_MS;
}

function endOf(date: string): number {
  return Date.parse(`${date}T00:00:00Z`) + DAY_MS;
}

function openDates(domain: string, now: number): readonly string[] {
  const table = tableOfDomain(domain);
  if (table?.kind !== "model") return [];
  const { grain } = table.model;
  if (grain === "one") return [ONLY_PARTITION.date];
  const today = new Date(now).toISOString().slice(0, 10);
  const days = Array.from({ length: MOST_OPEN_DAYS }, (_, back) => addDays(today, -back));
  const dates = new Set(grain === "day" ? days : days.map((day) => firstDayOf(grain, day)));
  return [...dates].filter((date) => closesAt(domain, date) > now);
}

const domains = new Map(tables.map(({ name, domain }) => [name, domain]));

function domainOf(table: string): string {
  return domains.get(table) ?? table;
}
