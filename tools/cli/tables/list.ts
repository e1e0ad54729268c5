/** `sluice tables list` and `versions`. */
import * as z from "zod";
import { meaningSchema } from "../../../lakehouse/builds/generations/meaning.ts";
import { printTable } from "../../lake/print-table.ts";
import type { PlatformAddress } from "../../platform-address.ts";
import { callPlatform } from "../../platform-call.ts";

/** What a platform says of a table's generation. */
export const generation = z.looseObject({
  meaning: meaningSchema,
  walk: z.object({ stale: z.int(), backfill_id: z.string().nullable(), held: z.boolean() }).nullable(),
});

/** What is left of a walk, in words; what a person may do is with the backfill. */
export function walkText({ walk }: z.infer<typeof generation>): string {
  if (walk === null) return "";
  const { stale, backfill_id, held } = walk;
  // The cron ends a walk: for up to a minute after the last build nothing is stale, and the walk stands.
  if (stale === 0) return held ? "all built, shown within a minute" : "all built";
  const by = backfill_id === null ? "its inputs first" : "sluice backfill list";
  return `${stale} stale (${by})${held ? ", shown as it was" : ""}`;
}

export const tables = z.object({
  tables: z.array(
    z.looseObject({
      table_name: z.string(),
      version: z.int(),
      partitions: z.int(),
      pinned: z.int(),
      rows: z.int(),
      committed_at: z.string(),
      generation: generation.nullable(),
    }),
  ),
});

export async function listTables(platform: PlatformAddress, json: boolean): Promise<void> {
  const answer = await callPlatform(platform, "GET", "/v1/tables", tables);
  if (json) return console.log(JSON.stringify(answer.tables, null, 2));
  const columns = [
    text("table"),
    number("version"),
    number("partitions"),
    number("pinned"),
    number("rows"),
    text("committed"),
    text("a deploy builds again"),
  ];
  const rows = answer.tables.map((each) => [
    ...[each.table_name, each.version, each.partitions, each.pinned, each.rows, each.committed_at].map(String),
    each.generation === null ? "" : walkText(each.generation),
  ]);
  console.log(printTable(columns, rows).join("\n"));
}

const versions = z.object({
  versions: z.array(
    z.looseObject({
      version: z.int(),
      partition_date: z.string(),
      kind: z.string(),
      rows: z.int(),
      rows_added: z.int(),
      committed_at: z.string(),
      readable: z.boolean(),
    }),
  ),
  next_cursor: z.string().nullable(),
});

const PAGE = 1_000;

export async function listVersions(
  platform: PlatformAddress,
  table: string,
  partition: string | undefined,
  limit: number,
  json: boolean,
): Promise<void> {
  const all: z.infer<typeof versions>["versions"] = [];
  let cursor: string | null = null;
  do {
    const query = new URLSearchParams({ limit: String(Math.min(PAGE, limit - all.length)) });
    if (partition !== undefined) query.set("partition", partition);
    if (cursor !== null) query.set("cursor", cursor);
    const path = `/v1/tables/${encodeURIComponent(table)}/versions?${query}`;
    const page: z.infer<typeof versions> = await callPlatform(platform, "GET", path, versions);
    all.push(...page.versions);
    cursor = page.next_cursor;
  } while (cursor !== null && all.length < limit);
  if (json) return console.log(JSON.stringify(all, null, 2));
  const columns = [
    number("version"),
    text("committed"),
    text("partition"),
    text("kind"),
    number("rows"),
    number("added"),
    text("readable"),
  ];
  const rows = all.map((each) => [
    ...[String(each.version), each.committed_at, each.partition_date, each.kind],
    ...[String(each.rows), String(each.rows_added), each.readable ? "yes" : "its partition only"],
  ]);
  console.log(printTable(columns, rows).join("\n"));
  if (cursor !== null) console.log(`There are older ones: --limit ${limit * 2}`);
}

function text(name: string) {
  return { name, numeric: false };
}

function number(name: string) {
  return { name, numeric: true };
}
