/** Partitions whose build failed, from the failure until a build succeeds: retries in between do not end the alert. */
import { failedPartitions } from "../../sql/statements/conditions.ts";
import { type Condition, type ConditionSource, MAX_CONDITIONS } from "./condition.ts";

/** `knows`: whether this deploy builds the domain; nobody can mend what another one left. */
export function failedPartitionsSource(db: D1Database, knows: (domain: string) => boolean): ConditionSource {
  return {
    name: "failed_partitions",
    async find() {
      const rows = await failedPartitions(db, MAX_CONDITIONS + 1);
      const own = rows.filter(({ domain }) => knows(domain));
      return own.map((row): Condition => {
        const { domain, partition_date: partitionDate, status, failure_class: failure } = row;
        const dead = status === "DEAD";
        const error = shownError(row.error_message ?? "no message");
        return {
          key: `${dead ? "partition_dead" : "partition_failed"}/${domain}/${partitionDate}`,
          kind: dead ? "partition_dead" : "partition_failed",
          severity: dead || failure === "data" ? "critical" : "warning",
          message: `${domain} ${partitionDate} is not built (${failure} failure): ${error}. ${adviceOn(dead, failure)} More: sluice partitions show ${domain} ${partitionDate}`,
          domain,
          partitionDate,
          ...(row.run_id === null ? {} : { runId: row.run_id }),
          measured: row.retry_count,
        };
      });
    },
  };
}

/** Errors of ours that tell of files, sizes and limits. Others may quote the values that they stumbled over. */
const WITHOUT_VALUES = ["ModelTooLargeError", "PartitionTooLargeError", "CorruptParquetError"];

function shownError(text: string): string {
  const name = /^(\w+):/.exec(text)?.[1];
  if (name === undefined) return "an error; partition_meta.error_message has it";
  return WITHOUT_VALUES.includes(name) ? text.slice(0, 1_000) : `${name}; partition_meta.error_message has it whole`;
}

function adviceOn(dead: boolean, failure: "data" | "system"): string {
  if (dead) return "Its retries are used up: see to the cause, then sluice backfill --reprocess failed.";
  if (failure === "system") return "It is retried by itself.";
  return "It waits for other input, another contract or model, or an operator; what was published before stays.";
}
