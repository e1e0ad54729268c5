/** Tables of which partitions are of an older generation, from the deploy that changed them until all are built that can be. */
import { staleTables } from "../../sql/statements/generations.ts";
import { type Condition, type ConditionSource, MAX_CONDITIONS } from "./condition.ts";

/** `releasedAt`: when this deploy was made. */
export function staleTablesSource(db: D1Database, releasedAt: string): ConditionSource {
  return {
    name: "stale_tables",
    async find() {
      const rows = await staleTables(db, MAX_CONDITIONS + 1);
      return rows.map((row): Condition => {
        const { table_name: table, stale, failed, cancelled, since } = row;
        const older = row.released_at > releasedAt;
        const [severity, what] = older
          ? ([
              "critical",
              "This deploy is older than the one that said so, and builds no partition of it: deploy it anew, or, after a rollback of the Worker, UPDATE table_generations SET released_at = '1970-01-01T00:00:00Z'",
            ] as const)
          : failed > 0
            ? ([
                "critical",
                `${failed} cannot be built: mend the contract or model and deploy, or see sluice partitions list --table ${table} --status FAILED`,
              ] as const)
            : cancelled
              ? (["warning", `Its backfill was cancelled: sluice backfill resume ${row.backfill_id ?? ""}`] as const)
              : (["info", "They are built behind the day's work"] as const);
        const shown = row.held ? " Until then readers get the table as it was before." : "";
        return {
          key: `table_stale/${table}`,
          kind: "table_stale",
          severity,
          message: `${table} means something else since ${since}, and ${stale} of its partitions are of the time before.${shown} ${what}.`,
          measured: stale,
          bound: 0,
        };
      });
    },
  };
}
