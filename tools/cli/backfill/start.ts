/** `sluice backfill --table T --from D --to D`: what would be built, and what is. */
import { printTable } from "../../lake/print-table.ts";
import type { PlatformAddress } from "../../platform-address.ts";
import { callPlatform } from "../../platform-call.ts";
import { type BackfillPlan, backfillPlan } from "./answer.ts";
import { follow } from "./follow.ts";

export interface BackfillRequest {
  readonly table: string;
  readonly from: string;
  readonly to: string;
  readonly reprocess: string | undefined;
  readonly layer: string | undefined;
  readonly max_active_runs: number;
  readonly dry_run: boolean;
}

export interface StartOptions {
  readonly json: boolean;
  readonly wait: boolean;
  readonly argv: readonly string[];
}

export async function start(
  platform: PlatformAddress,
  request: BackfillRequest,
  { json, wait, argv }: StartOptions,
): Promise<void> {
  const plan = await callPlatform(platform, "POST", "/v1/backfills", backfillPlan, request);
  const { backfill_id: id } = plan;
  if (json && (id === null || !wait)) return console.log(JSON.stringify(plan, null, 2));
  if (!json) for (const line of linesOf(plan, request)) console.log(line);
  if (id !== null) return wait ? follow(platform, id, json) : undefined;
  if (request.dry_run && (plan.partitions ?? []).length > 0) {
    const again = argv.filter((word) => word !== "--dry-run").join(" ");
    console.log(`\nNothing was changed. To do it:\n  sluice backfill ${again}`);
  }
}

/** Partitions that are listed one by one. */
const LISTED = 20;

function linesOf(
  { backfill_id, partitions = [], refused, left, tables, followers }: BackfillPlan,
  request: BackfillRequest,
): string[] {
  const lines: string[] = [];
  if (backfill_id !== null) {
    lines.push(
      `Backfill ${backfill_id} of ${tables.join(", ")} has begun, ${request.max_active_runs} partitions at a time.`,
    );
  } else if (partitions.length > 0) {
    const columns = ["table", "date", "status"];
    const shown = partitions.slice(0, LISTED);
    lines.push(
      ...printTable(
        columns.map((name) => ({ name, numeric: false })),
        shown.map((each) => [each.table, each.partition_date, each.status ?? "never planned"]),
      ),
    );
    if (partitions.length > shown.length) lines.push(`and ${partitions.length - shown.length} more`);
    lines.push(`${counted(partitions.length)} would be built: ${tables.join(", ")}`);
  } else {
    lines.push("There is nothing to build.");
  }
  if (followers.length > 0 && (backfill_id !== null || partitions.length > 0)) {
    lines.push(`What reads them follows by itself: ${followers.join(", ")}`);
  }
  if (left > 0) {
    const all = request.reprocess === "completed" ? "" : "; --reprocess failed or completed takes more of them";
    lines.push(`${counted(left)} of the time ${left === 1 ? "stays" : "stay"} as they are${all}.`);
  }
  for (const { table, partition_date } of refused) {
    lines.push(
      `${table} ${partition_date} is refused: BRONZE_RETIRED, its bronze is past retention; what is published stays`,
    );
  }
  return lines;
}

function counted(n: number): string {
  return `${n} ${n === 1 ? "partition" : "partitions"}`;
}
