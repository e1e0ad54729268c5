/** Tables of which partitions are of an older generation, from the deploy that changed them until all are built that can be. */
import {
  GONE,
  type StaleTable,
  staleTables,
  type TableGeneration,
  tableGenerations,
} from "../../sql/statements/generations.ts";
import { type Condition, type ConditionSource, MAX_CONDITIONS } from "./condition.ts";

const TAKE_OVER =
  "deploy it anew, or, after a rollback of the Worker, UPDATE table_generations SET released_at = '1970-01-01T00:00:00Z'";

/** `releasedAt`: when this deploy was made. `has`: whether it has a table of that name. */
export function staleTablesSource(
  db: D1Database,
  releasedAt: string,
  has: (table: string) => boolean,
): ConditionSource {
  return {
    name: "stale_tables",
    async find() {
      const rows = await staleTables(db, MAX_CONDITIONS + 1);
      const gone = (await tableGenerations(db)).filter(
        ({ table_name, content, released_at }) => content === GONE && released_at > releasedAt && has(table_name),
      );
      return [...rows.map((row) => staleCondition(row, releasedAt)), ...gone.map(goneCondition)];
    },
  };
}

function staleCondition(row: StaleTable, releasedAt: string): Condition {
  const { table_name: table, stale, failed, cancelled, since } = row;
  const older = row.released_at > releasedAt;
  const [severity, what] = older
    ? ([
        "critical",
        `This deploy is older than the one that said so, and builds no partition of it: ${TAKE_OVER}`,
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
  return conditionOf(
    table,
    severity,
    `${table} means something else since ${since}, and ${stale} of its partitions are of the time before.${shown} ${what}.`,
    stale,
  );
}

/** A table that a newer deploy removed. */
function goneCondition({ table_name: table, released_at }: TableGeneration): Condition {
  const message = `${table} is no table of the deploy of ${released_at}. This deploy is older, and builds no partition of it: ${TAKE_OVER}.`;
  return conditionOf(table, "critical", message, 1);
}

function conditionOf(table: string, severity: Condition["severity"], message: string, measured: number): Condition {
  return { key: `table_stale/${table}`, kind: "table_stale", severity, message, measured, bound: 0 };
}
