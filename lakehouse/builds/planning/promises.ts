/** What the contracts' promises of freshness come to in the tables that are made of the topics. Pure. */
import type { Table } from "../../tables/catalog.ts";
import { waitOf } from "./policy.ts";

/** A promise: the table has every event of the topic at most `withinMs` milliseconds after it was received. */
export interface FreshnessPromise {
  readonly topic: string;
  readonly withinMs: number;
}

/** What a build behind another takes: its place in the queue, and its rows. */
const BUILD_MS = 120_000;

/** Those of a model: what each of its inputs promises, and then its own wait. What it looks up promises nothing of it. */
export function promisesOf(table: Table, find: (name: string) => Table | undefined): readonly FreshnessPromise[] {
  if (table.kind === "ledger") return [];
  if (table.kind === "topic") {
    const { topic, sla } = table.contract;
    return sla.freshnessMs === undefined ? [] : [{ topic, withinMs: sla.freshnessMs }];
  }
  const longest = new Map<string, number>();
  for (const { table: name, relation } of table.model.inputs) {
    const input = find(name);
    const isLookup = (relation.kind === "all" || relation.kind === "latest") && table.model.grain !== "one";
    if (input === undefined || isLookup) continue;
    for (const { topic, withinMs } of promisesOf(input, find)) {
      const own = withinMs + waitOf(table) + BUILD_MS;
      longest.set(topic, Math.max(own, longest.get(topic) ?? 0));
    }
  }
  return [...longest].map(([topic, withinMs]) => ({ topic, withinMs }));
}
