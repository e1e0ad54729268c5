/** Partitions that late events reopened, for a day after they were published again: whoever read them before read other rows. */
import { revisedPartitions } from "../../sql/statements/conditions.ts";
import type { Condition, ConditionSource } from "./condition.ts";

const HELD_MS = 24 * 3_600_000;

export function lateDataSource(db: D1Database, topics: readonly string[]): ConditionSource {
  return {
    name: "late_data",
    async find(now) {
      const rows = await revisedPartitions(db, topics, new Date(now - HELD_MS).toISOString());
      return rows.map(
        (row): Condition => ({
          key: `late_data/${row.domain}/${row.partition_date}`,
          kind: "late_data",
          severity: "info",
          message: `${row.domain} ${row.partition_date} was rebuilt after it had closed, because events came late; revisions so far: ${row.revisions}. What reads it was rebuilt too.`,
          domain: row.domain,
          partitionDate: row.partition_date,
          measured: row.revisions,
        }),
      );
    },
  };
}
