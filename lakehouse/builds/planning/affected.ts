/** What a commit makes stale: pure, from the models' inputs and their relations. */
import type { StalePartition } from "../../../sql/statements/stale-partitions.ts";
import { addDays, firstDayOf, type Grain, ONLY_PARTITION, type Relation } from "../../engine/ir/relation.ts";

/** One input of one model. */
export interface Dependency {
  /** The model's domain in `partition_meta`. */
  readonly domain: string;
  /** What a partition of the model spans. */
  readonly grain: Grain;
  /** The table that it reads. */
  readonly input: string;
  readonly relation: Relation;
}

/** Dates of a model: those that are open, and those that closed not long ago. */
export interface RecentDates {
  readonly open: readonly string[];
  readonly closed: readonly string[];
}

/**
 * The partitions that read the partition `date` of `table`, in a fixed order. Models of many partitions that read a whole
 * table (`all`, `latest`) follow it in their open partitions, and in those that closed and read no version of it for good; `datesOf`
 * gives both by domain. The others keep what they read.
 */
export function affected(
  dependencies: readonly Dependency[],
  table: string,
  date: string,
  datesOf: (domain: string) => RecentDates,
): StalePartition[] {
  const stale = new Map<string, StalePartition>();
  for (const dependency of dependencies) {
    if (dependency.input !== table) continue;
    for (const partition of readersOf(dependency, date, datesOf)) {
      const key = `${partition.domain} ${partition.date}`;
      // Two inputs may name one partition: that it begins with one of them is enough.
      if (stale.get(key)?.ifKnown !== false) stale.set(key, partition);
    }
  }
  return [...stale.values()].sort((a, b) => compare(a.domain, b.domain) || compare(a.date, b.date));
}

function readersOf(
  { domain, grain, input, relation }: Dependency,
  date: string,
  datesOf: (domain: string) => RecentDates,
): StalePartition[] {
  const own = (other: string): StalePartition => ({ domain, date: other, ifKnown: other !== date });
  switch (relation.kind) {
    case "same":
      return [own(date)];
    case "last":
      return Array.from({ length: relation.days }, (_, ahead) => own(addDays(date, ahead)));
    case "next":
      return Array.from({ length: relation.days }, (_, back) => own(addDays(date, -back)));
    case "within":
      return [{ domain, date: firstDayOf(relation.unit, date), ifKnown: false }];
    case "all":
    case "latest":
      if (grain === "one") return [{ domain, date: ONLY_PARTITION.date, ifKnown: false }];
      return recent(domain, input, datesOf(domain));
  }
}

function recent(domain: string, input: string, { open, closed }: RecentDates): StalePartition[] {
  return [
    ...open.map((date) => ({ domain, date, ifKnown: true })),
    ...closed.map((date) => ({ domain, date, ifKnown: true, unlessPinned: input })),
  ];
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
