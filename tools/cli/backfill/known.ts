/** `sluice backfill list`, `show`, `cancel` and `resume`. */
import * as z from "zod";
import { printTable } from "../../lake/print-table.ts";
import type { PlatformAddress } from "../../platform-address.ts";
import { callPlatform, withQuery } from "../../platform-call.ts";
import { type BackfillDetail, backfillDetail, backfillSummary, progressText } from "./answer.ts";

const page = z.object({ backfills: z.array(backfillSummary), next_cursor: z.string().nullable() });

export async function list(platform: PlatformAddress, table: string | undefined, json: boolean): Promise<void> {
  const { backfills } = await callPlatform(platform, "GET", withQuery("/v1/backfills", { table, limit: "50" }), page);
  if (json) return console.log(JSON.stringify(backfills, null, 2));
  if (backfills.length === 0) return console.log("No backfills.");
  const columns = ["id", "created", "table", "layer", "from", "to", "reprocess", "state", "progress"];
  const rows = backfills.map((each) => [
    each.backfill_id,
    each.created_at.slice(0, 19).concat("Z"),
    each.table,
    each.layer,
    each.from,
    each.to,
    each.reprocess,
    each.state,
    progressText(each),
  ]);
  for (const line of printTable(
    columns.map((name) => ({ name, numeric: false })),
    rows,
  ))
    console.log(line);
}

export async function show(platform: PlatformAddress, id: string, json: boolean): Promise<void> {
  const found = await callPlatform(platform, "GET", `/v1/backfills/${encodeURIComponent(id)}`, backfillDetail);
  if (json) return console.log(JSON.stringify(found, null, 2));
  for (const line of linesOf(found)) console.log(line);
}

export async function change(
  platform: PlatformAddress,
  id: string,
  action: "cancel" | "resume",
  json: boolean,
): Promise<void> {
  const path = `/v1/backfills/${encodeURIComponent(id)}/${action}`;
  const changed = await callPlatform(platform, "POST", path, backfillDetail);
  if (json) return console.log(JSON.stringify(changed, null, 2));
  for (const line of linesOf(changed)) console.log(line);
}

export function linesOf(backfill: BackfillDetail): string[] {
  const { backfill_id, table, layer, from, to, reprocess, max_active_runs, state, started, failed } = backfill;
  return [
    `${backfill_id}: ${layer} of ${table}, ${from} to ${to}, reprocess ${reprocess}, ${max_active_runs} at a time`,
    `${state}: ${progressText(backfill)}`,
    ...started.map((each) => `  under way: ${each.table} ${each.partition_date} (${each.status ?? "not planned yet"})`),
    ...failed.map((each) => `  failed: ${each.table} ${each.partition_date}: ${each.error_message ?? "no message"}`),
  ];
}
