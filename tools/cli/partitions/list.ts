/** `sluice partitions list`: a table, page by page until there are enough. */
import * as z from "zod";
import { printTable } from "../../lake/print-table.ts";
import type { PlatformAddress } from "../../platform-address.ts";
import { callPlatform, withQuery } from "../../platform-call.ts";

const line = z.looseObject({
  table: z.string(),
  partition_date: z.string(),
  status: z.string(),
  waits: z.string(),
  stale: z.boolean(),
  record_count: z.int(),
  retry_count: z.int(),
  steps: z.object({ done: z.int(), unread_rows: z.int().nullable() }).nullable(),
  processed_at: z.string().nullable(),
});
const page = z.object({
  counts: z.record(z.string(), z.int()).nullable(),
  stale: z.record(z.string(), z.int()).nullable(),
  partitions: z.array(line),
  next_cursor: z.string().nullable(),
});

const PAGE = 500;

export interface PartitionFlags {
  readonly table: string | undefined;
  readonly status: string | undefined;
  readonly from: string | undefined;
  readonly to: string | undefined;
}

export interface ListOptions {
  readonly limit: number;
  readonly json: boolean;
}

export async function list(platform: PlatformAddress, flags: PartitionFlags, options: ListOptions): Promise<void> {
  const partitions: z.infer<typeof line>[] = [];
  let counts: z.infer<typeof page>["counts"] = null;
  let stale: z.infer<typeof page>["stale"] = null;
  let cursor: string | null = null;
  do {
    const limit = String(Math.min(PAGE, options.limit - partitions.length));
    const path = withQuery("/v1/partitions", { ...flags, limit, cursor: cursor ?? undefined });
    const answer: z.infer<typeof page> = await callPlatform(platform, "GET", path, page);
    partitions.push(...answer.partitions);
    counts ??= answer.counts;
    stale ??= answer.stale;
    cursor = answer.next_cursor;
  } while (cursor !== null && partitions.length < options.limit);
  if (options.json) return console.log(JSON.stringify({ counts, stale, partitions, next_cursor: cursor }, null, 2));
  for (const text of partitions.length === 0 ? ["No partitions."] : tableOf(partitions)) console.log(text);
  const all = Object.entries(counts ?? {}).map(([status, n]) => `${n} ${status}`);
  if (all.length > 0)
    console.log(`\n${all.join(", ")}${cursor === null ? "" : "; there are more: --limit N shows them"}`);
  for (const [table, n] of Object.entries(stale ?? {})) {
    console.log(
      `${table}: a deploy has it built again, ${n} ${n === 1 ? "partition is" : "partitions are"} still to come: sluice tables list`,
    );
  }
  const stuck = partitions.find(({ status }) => status === "FAILED" || status === "DEAD");
  if (stuck !== undefined) {
    console.log(`Why one is not built, and what to do: sluice partitions show ${stuck.table} ${stuck.partition_date}`);
  }
}

const NUMBERS = new Set(["rows", "unread", "steps", "retries"]);

function tableOf(partitions: readonly z.infer<typeof line>[]): string[] {
  const columns = ["table", "date", "status", "rows", "unread", "steps", "retries", "published", "waits for"];
  return printTable(
    columns.map((name) => ({ name, numeric: NUMBERS.has(name) })),
    partitions.map((each) => [
      each.table,
      each.partition_date,
      each.stale ? `${each.status}, stale` : each.status,
      String(each.record_count),
      String(each.steps?.unread_rows ?? ""),
      String(each.steps?.done ?? ""),
      String(each.retry_count),
      each.processed_at?.slice(0, 19).concat("Z") ?? "never",
      each.waits,
    ]),
  );
}
