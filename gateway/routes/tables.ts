/** `GET /v1/tables`, `/v1/tables/{table}/files` and `/quarantine`: published tables, their live data files, and the rows kept out of them. */
import {
  type PublishedTable,
  publishedFiles,
  publishedTable,
  publishedTables,
  quarantinedFiles,
} from "../../sql/statements/published.ts";
import { topicOfTable } from "../access/guard.ts";
import { catalog } from "../catalog.ts";
import type { GatewayContext } from "../context.ts";
import type { GatewayDeps } from "../deps.ts";
import { queryOf } from "../openapi/parameters.ts";
import { ProblemError } from "../problem.ts";
import { filesQuery } from "./tables.api.ts";

export function listTables(deps: GatewayDeps): (c: GatewayContext) => Promise<Response> {
  return async function listTables(c) {
    const reach = c.get("reach");
    const tables = await catalog(() => publishedTables(deps.db));
    return c.json({ tables: tables.filter(({ table_name }) => reach.has(topicOfTable(table_name) ?? null)) });
  };
}

/** `?partition=YYYY-MM-DD` narrows to one date. */
export function listFiles(deps: GatewayDeps): (c: GatewayContext) => Promise<Response> {
  return async function listFiles(c) {
    const { partition: date = null } = queryOf(c, filesQuery);
    const table = await knownTable(deps, c.req.param("table"));
    return c.json({ ...table, files: await catalog(() => publishedFiles(deps.db, table.table_name, date)) });
  };
}

/** `?partition=YYYY-MM-DD` narrows to one date. */
export function listQuarantine(deps: GatewayDeps): (c: GatewayContext) => Promise<Response> {
  return async function listQuarantine(c) {
    const { partition: date = null } = queryOf(c, filesQuery);
    const { table_name } = await knownTable(deps, c.req.param("table"));
    const files = await catalog(() => quarantinedFiles(deps.db, table_name, date));
    return c.json({ table_name, rows: files.reduce((sum, { rows }) => sum + rows, 0), files });
  };
}

async function knownTable(deps: GatewayDeps, name = ""): Promise<PublishedTable> {
  const table = await catalog(() => publishedTable(deps.db, name));
  if (table !== null) return table;
  throw new ProblemError("UNKNOWN_TABLE", `no partition of "${name.slice(0, 100)}" is published; see /v1/tables`);
}
