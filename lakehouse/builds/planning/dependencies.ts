/** The dependencies of this deploy's models: which partitions a commit makes stale, and when a partition closes. */
import type { Lease } from "../../../sql/statements/leases.ts";
import type { StalePartition } from "../../../sql/statements/stale-partitions.ts";
import { addDays, datesRead, firstDayOf, isPartitionOf, ONLY_PARTITION } from "../../engine/ir/relation.ts";
import { grainOf, type Table, tableByName, tableOfDomain, tables } from "../../tables/catalog.ts";
import { affected, type Dependency, type RecentDates } from "./affected.ts";

const DAY_MS = 86_400_000;
/** For tables that no contract speaks of. */
const DEFAULT_LATENESS_MS = 3_600_000;
/** How far back partitions are looked through: a month, its lateness, and what a lookup table may take to be committed again. */
const RECENT_DAYS = 100;

// The catalog has a table behind those that it reads.
const models = tables.filter((table) => table.kind === "model");

const dependencies: readonly Dependency[] = models.flatMap(({ domain, model }) =>
  model.inputs.map(({ table, relation }) => ({ domain, grain: model.grain, input: table, relation })),
);

/** The partitions of models that the commit of a partition makes stale. `now` in milliseconds says which are open. */
export function staleAfter(table: string, date: string, now: number): StalePartition[] {
  // A partition that its table has only since it was of another grain has no rows, and no reader has one for it.
  if (!isPartitionOf(grainOf(tableByName(table)), date)) return [];
  return affected(dependencies, table, date, (domain) => recentDates(domain, now));
}

/**
 * When a partition closes, in milliseconds since the epoch: when the last partition that it reads has closed, so that
 * lateness passes down from the contracts. A table of one partition never closes; what it looks up holds no table open.
 */
export function closesAt(domain: string, date: string): number {
  const table = tableOfDomain(domain);
  if (table?.kind !== "model") return endOf(date) + latenessOf(table);
  if (table.model.grain === "one") return Number.POSITIVE_INFINITY;
  return Math.max(...partitionsRead(domain, date).map((input) => closesAt(input.domain, input.to)));
}

/** From the closing on flushes bring in what was received before it: until then a partition is not judged as a whole. */
const REGISTERED_MS = 60_000;

/**
 * When a partition is judged as a whole, by the checks that wait for its closing. A table of one partition never closes: each build
 * judges all of it.
 */
export function judgedAt(domain: string, date: string): number {
  const table = tableOfDomain(domain);
  if (table?.kind === "topic") return closesAt(domain, date) + table.contract.flush.ageMs + REGISTERED_MS;
  if (table?.kind !== "model") return closesAt(domain, date);
  if (table.model.grain === "one") return Number.NEGATIVE_INFINITY;
  return Math.max(...partitionsRead(domain, date).map((input) => judgedAt(input.domain, input.to)));
}

/** Whether a build with this lease judges its partition as a whole. */
export function hasClosed({ domain, date, now }: Pick<Lease, "domain" | "date" | "now">): boolean {
  return judgedAt(domain, date) <= now;
}

/** Dates [from, to] of a domain. */
export interface PartitionRange {
  readonly domain: string;
  readonly from: string;
  readonly to: string;
}

/** The dated partitions that a partition reads. Tables that it reads as a whole, or looks things up in, are none. */
export function partitionsRead(domain: string, date: string): readonly PartitionRange[] {
  const table = tableOfDomain(domain);
  if (table?.kind !== "model" || table.model.grain === "one") return [];
  return table.model.inputs.flatMap(({ table: name, relation }) => {
    const read = datesRead(relation, date);
    return typeof read === "string" ? [] : [{ domain: domainOf(name), ...read }];
  });
}

function latenessOf(table: Table | undefined): number {
  return table?.kind === "topic" ? table.contract.latenessMs : DEFAULT_LATENESS_MS;
}

function endOf(date: string): number {
  return Date.parse(`${date}T00:00:00Z`) + DAY_MS;
}

function recentDates(domain: string, now: number): RecentDates {
  const table = tableOfDomain(domain);
  if (table?.kind !== "model") return { open: [], closed: [] };
  const { grain } = table.model;
  if (grain === "one") return { open: [ONLY_PARTITION.date], closed: [] };
  const today = new Date(now).toISOString().slice(0, 10);
  const days = Array.from({ length: RECENT_DAYS }, (_, back) => addDays(today, -back));
  const dates = [...new Set(grain === "day" ? days : days.map((day) => firstDayOf(grain, day)))];
  const isOpen = (date: string) => closesAt(domain, date) > now;
  return { open: dates.filter(isOpen), closed: dates.filter((date) => !isOpen(date)) };
}

const domains = new Map(tables.map(({ name, domain }) => [name, domain]));

function domainOf(table: string): string {
  return domains.get(table) ?? table;
}
