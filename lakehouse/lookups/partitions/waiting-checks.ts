/** The checks of a partition that are judged once it has closed, as long as they are not. Pure. */
import type { PartitionFacts } from "../../../sql/statements/partition-list.ts";
import { judgedAt } from "../../builds/planning/dependencies.ts";
import type { Table } from "../../tables/catalog.ts";
import type { RunnableCheck } from "../../tables/compiled/compiled-check.ts";

export interface WaitingChecks {
  readonly checks: readonly RunnableCheck[];
  /** When they are judged, in milliseconds since the epoch: as soon as a build and its inputs are ready then. */
  readonly at: number;
}

type Facts = Pick<
  PartitionFacts,
  "domain" | "partition_date" | "status" | "awaits_closing" | "version" | "built_version" | "now"
>;

export function waitingChecks(facts: Facts, { checks }: Pick<Table, "checks">): WaitingChecks {
  const at = judgedAt(facts.domain, facts.partition_date);
  return { checks: waits(facts, at) ? checks.filter(({ when }) => when === "closing") : [], at };
}

function waits({ status, awaits_closing, version, built_version, now }: Facts, at: number): boolean {
  // What is published may have been judged by an older release, which knew no closing: nothing is built for that.
  if (now < at) return awaits_closing || version !== built_version;
  // A build that came to them and failed tells what they measured.
  return awaits_closing && status !== "FAILED" && status !== "DEAD";
}
