/** Blocking checks that keep a partition from being published. */
import * as z from "zod";
import { blockingResults } from "../../sql/statements/conditions.ts";
import { type Condition, type ConditionSource, MAX_CONDITIONS } from "./condition.ts";

export function blockedPartitionsSource(db: D1Database): ConditionSource {
  return {
    name: "blocked_partitions",
    async find() {
      const rows = await blockingResults(db, MAX_CONDITIONS + 1);
      return rows.map((row): Condition => {
        const { domain, partition_date: partitionDate, check_name: check, metric, measured } = row;
        const bound = boundOf(row.bound);
        const candidate = row.candidate === null ? "" : ` The candidate is at ${row.candidate}.`;
        return {
          key: `quality_gate/${domain}/${partitionDate}/${check}`,
          kind: "quality_gate",
          severity: "critical",
          message: `${domain} ${partitionDate} is not published: the check "${check}" (${metric}) measured ${measured ?? "no number"}, bound ${row.bound}. What was published before stays.${candidate} To end it: sluice partitions show ${domain} ${partitionDate}`,
          domain,
          partitionDate,
          runId: row.run_id,
          ...(measured === null ? {} : { measured }),
          ...(bound === undefined ? {} : { bound }),
        };
      });
    },
  };
}

/** The number of a bound that has one: `{"mustBe": 0}`. The message quotes the bound, so one that cannot be read is seen there. */
function boundOf(json: string): number | undefined {
  try {
    const [value]: unknown[] = Object.values(storedBound.parse(JSON.parse(json)));
    return typeof value === "number" ? value : undefined;
  } catch {
    return undefined;
  }
}

const storedBound = z.record(z.string(), z.unknown());
