/** `GET /v1/tables`, `/v1/tables/{table}/versions`, `/files` and `/quarantine`: published tables, what they were, and where their rows stand. */
import type * as z from "zod";
import { contracts } from "../../contracts/registry.ts";
import { meaningSchema } from "../../lakehouse/builds/generations/meaning.ts";
import { bronzeFilesPage } from "../../lakehouse/tables/bronze/files-page.ts";
import { bronzeTableName } from "../../lakehouse/tables/bronze/manifest.ts";
import { tableByName } from "../../lakehouse/tables/catalog.ts";
import { type FilesPage, filesAsOf } from "../../lakehouse/tables/files-as-of.ts";
import { silverTableName } from "../../lakehouse/tables/silver-columns.ts";
import type { FileKind } from "../../sql/statements/data-files.ts";
import { GONE, staleCounts, tableGenerations } from "../../sql/statements/generations.ts";
import {
  type PublishedTable,
  publishedTable,
  publishedTableAsOf,
  publishedTables,
} from "../../sql/statements/published.ts";
import { pinnedByDomain } from "../../sql/statements/rollbacks.ts";
import { listVersions, readableVersion } from "../../sql/statements/versions.ts";
import { topicOfTable } from "../access/guard.ts";
import { catalog } from "../catalog.ts";
import type { GatewayContext } from "../context.ts";
import type { GatewayDeps } from "../deps.ts";
import { queryOf } from "../openapi/parameters.ts";
import { ProblemError } from "../problem.ts";
import { filesQuery, versionsQuery } from "./tables.api.ts";

const NO_MEANING = { rules: "", columns: {} };

export function listTables(deps: GatewayDeps): (c: GatewayContext) => Promise<Response> {
  return async function listTables(c) {
    const reach = c.get("reach");
    const [tables, pinned, generations, stale] = await catalog(() =>
      Promise.all([publishedTables(deps.db), pinnedByDomain(deps.db), tableGenerations(deps.db), staleCounts(deps.db)]),
    );
    const generationOf = (name: string) => {
      const row = generations.find(({ table_name }) => table_name === name);
      if (row === undefined) return null;
      const { generation, since, backfill_id } = row;
      // No deploy means by it what it was: one that has it again builds it again.
      const meaning = row.content === GONE ? NO_MEANING : meaningSchema.parse(JSON.parse(row.meaning));
      const walk = row.walking ? { stale: stale.get(name) ?? 0, backfill_id, held: row.shown_version !== null } : null;
      return { generation, meaning, since, walk };
    };
    const reached = tables.filter(({ table_name }) => reach.has(topicOfTable(table_name) ?? null));
    const pinnedOf = (name: string) => pinned.get(tableByName(name)?.domain ?? name) ?? 0;
    return c.json({
      tables: reached.map((table) => ({
        ...table,
        pinned: pinnedOf(table.table_name),
        generation: generationOf(table.table_name),
      })),
    });
  };
}

/** The newest first; `cursor` is the last version of the page before. */
export function listTableVersions(deps: GatewayDeps): (c: GatewayContext) => Promise<Response> {
  return async function listTableVersions(c) {
    const { partition = null, cursor = null, limit } = queryOf(c, versionsQuery);
    const { table_name } = await knownTable(deps, c.req.param("table"));
    const rows = await catalog(() => listVersions(deps.db, table_name, partition, cursor, limit + 1));
    const versions = rows.slice(0, limit).map(({ thinned, ...version }) => ({ ...version, readable: !thinned }));
    const next = rows.length > limit ? (versions.at(-1)?.version ?? null) : null;
    return c.json({ table_name, versions, next_cursor: next === null ? null : String(next) });
  };
}

export function listFiles(deps: GatewayDeps): (c: GatewayContext) => Promise<Response> {
  return async function listFiles(c) {
    const query = queryOf(c, filesQuery);
    const topic = topicOfBronze.get(c.req.param("table") ?? "");
    if (topic !== undefined) return c.json(await bronzePage(deps, topic, query));
    const table = await knownTable(deps, c.req.param("table"));
    const { version, files, next_cursor } = await pageOf(deps, table, query, "data");
    return c.json({ ...(await tableAsOf(deps, table, version)), files, next_cursor });
  };
}

const topicOfBronze = new Map(contracts.map(({ topic }) => [bronzeTableName(topic), topic]));

/** Bronze is added to, and compacted behind the same rows: it has no versions, and each page is as of now. */
async function bronzePage(
  deps: GatewayDeps,
  topic: string,
  { partition, version, cursor }: z.infer<typeof filesQuery>,
) {
  if (version !== undefined) {
    throw new ProblemError(
      "INVALID_PARAMETER",
      `version: bronze has no versions; leave it out for the files that stand now, or ask for those of ${silverTableName(topic)}`,
    );
  }
  const [, after = ""] = cursor?.split("_") ?? [];
  const { files, next } = await catalog(() => bronzeFilesPage(deps.db, deps.lake, topic, partition, after));
  return { table_name: bronzeTableName(topic), files, next_cursor: next === null ? null : `0_${next}` };
}

export function listQuarantine(deps: GatewayDeps): (c: GatewayContext) => Promise<Response> {
  return async function listQuarantine(c) {
    const query = queryOf(c, filesQuery);
    const table = await knownTable(deps, c.req.param("table"));
    const { version, files, next_cursor } = await pageOf(deps, table, query, "quarantine");
    const rows = files.reduce((sum, file) => sum + file.rows, 0);
    return c.json({ table_name: table.table_name, version, rows, files, next_cursor });
  };
}

/** The files of one kind on a page. All pages are of the version of the first: the cursor says it, `VERSION_DATE`. */
async function pageOf(
  deps: GatewayDeps,
  table: PublishedTable,
  { partition, version, cursor }: z.infer<typeof filesQuery>,
  kind: FileKind,
) {
  const [ofCursor, after = ""] = cursor?.split("_") ?? [];
  const asked = ofCursor === undefined ? (version ?? table.version) : Number(ofCursor);
  await requireReadable(deps, table, asked);
  const page: FilesPage = await catalog(() => filesAsOf(deps.db, deps.lake, table.table_name, asked, partition, after));
  const files = page.files
    .filter((file) => file.kind === kind)
    .map(({ partition_date, added, file, rows, bytes }) => ({ partition_date, added, file, rows, bytes }));
  return { version: asked, files, next_cursor: page.next === null ? null : `${asked}_${page.next}` };
}

/** The table as it was at the version whose files are listed: its rows and partitions are then those of the files. */
async function tableAsOf(deps: GatewayDeps, table: PublishedTable, version: number): Promise<PublishedTable> {
  if (version === table.version) return table;
  const older = await catalog(() => publishedTableAsOf(deps.db, table.table_name, version));
  if (older !== null) return older;
  throw new ProblemError("UNKNOWN_VERSION", `${table.table_name} cannot be read as of version ${version} any more`);
}

async function requireReadable(deps: GatewayDeps, { table_name, version: newest }: PublishedTable, version: number) {
  if (version === newest) return;
  const readable = await catalog(() => readableVersion(deps.db, table_name, version));
  if (readable?.version === version) return;
  const nearest =
    readable === undefined ? "" : `, the nearest before it is ${readable.version} of ${readable.committed_at}`;
  throw new ProblemError("UNKNOWN_VERSION", `${table_name} cannot be read as of version ${version}${nearest}`);
}

async function knownTable(deps: GatewayDeps, name = ""): Promise<PublishedTable> {
  const table = await catalog(() => publishedTable(deps.db, name));
  if (table !== null) return table;
  throw new ProblemError("UNKNOWN_TABLE", `no partition of "${name.slice(0, 100)}" is published; see /v1/tables`);
}
