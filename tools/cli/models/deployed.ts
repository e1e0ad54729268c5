/** `sluice models list --deployed`: what a deploy of the project as it stands would have built again, and what one is building. */
import type * as z from "zod";
import { type Meaning, meaningOf, meansTheSame } from "../../../lakehouse/builds/generations/meaning.ts";
import { printTable } from "../../lake/print-table.ts";
import { type KeyFlags, PLATFORM_OPTIONS, platformOf } from "../../platform-address.ts";
import { callPlatform } from "../../platform-call.ts";
import { type generation, tables as tablesAnswer, walkText } from "../tables/list.ts";

/** The tables' code is what `npm run compile` made of the files: it is loaded behind it. */
export async function listDeployed(
  flags: KeyFlags & { readonly url?: string | undefined; readonly json?: boolean | undefined },
) {
  const { tableByName, tables } = await import("../../../lakehouse/tables/catalog.ts");
  const platform = platformOf({ ...flags, url: flags.url ?? PLATFORM_OPTIONS.url.default });
  const answer = await callPlatform(platform, "GET", "/v1/tables", tablesAnswer);
  const published = new Map(answer.tables.map((each) => [each.table_name, each]));
  const lines = tables.flatMap((table) => {
    const own = published.get(table.name);
    // A topic without events has no table; a ledger has no text that a deploy could change.
    if (table.kind === "ledger" || (own === undefined && table.kind === "topic")) return [];
    const state = standing(meaningOf(table, tableByName), own);
    return [{ table: table.name, partitions: own?.partitions ?? 0, ...state }];
  });
  if (flags.json) return console.log(JSON.stringify(lines, null, 2));
  const columns = [text("table"), number("partitions"), number("a deploy builds again"), text("now")];
  console.log(
    printTable(
      columns,
      lines.map((each) => [each.table, String(each.partitions), String(each.rebuilds), each.now]),
    ).join("\n"),
  );
}

type Published = { readonly partitions: number; readonly generation: z.infer<typeof generation> | null };

/** How many partitions a deploy builds again, and how the table stands. Pure. */
export function standing(
  meaning: Meaning,
  published: Published | undefined,
): { readonly rebuilds: number; readonly now: string } {
  if (published === undefined) return { rebuilds: 0, now: "not there: a deploy fills it from what it reads" };
  const { generation: own, partitions } = published;
  if (own === null) return { rebuilds: 0, now: "from before generations: a deploy takes it as it is" };
  const rebuilds = meansTheSame(own.meaning, meaning) ? 0 : partitions;
  return { rebuilds, now: walkText(own) || "all of one generation" };
}

function text(name: string) {
  return { name, numeric: false };
}

function number(name: string) {
  return { name, numeric: true };
}
