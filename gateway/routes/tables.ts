/** `GET /v1/tables` and `GET /v1/tables/{table}/files`: published tables and the data files that are live. */
import { publishedFiles, publishedTable, publishedTables } from "../../sql/statements/published.ts";
import type { GatewayContext } from "../context.ts";
import type { GatewayDeps } from "../deps.ts";
import { queryOf } from "../openapi/parameters.ts";
import { ProblemError } from "../problem.ts";
import { filesQuery } from "./tables.api.ts";

export function listTables(deps: GatewayDeps): (c: GatewayContext) => Promise<Response> {
  return async function listTables(c) {
    return c.json({ tables: await catalog(() => publishedTables(deps.db)) });
  };
}

/** `?partition=YYYY-MM-DD` narrows to one date. */
export function listFiles(deps: GatewayDeps): (c: GatewayContext) => Promise<Response> {
  return async function listFiles(c) {
    const name = c.req.param("table") ?? "";
    const { partition: date = null } = queryOf(c, filesQuery);
    const table = await catalog(() => publishedTable(deps.db, name));
    if (table === null) {
      throw new ProblemError("UNKNOWN_TABLE", `no partition of "${name.slice(0, 100)}" is published; see /v1/tables`);
    }
    return c.json({ ...table, files: await catalog(() => publishedFiles(deps.db, name, date)) });
  };
}

async function catalog<Result>(query: () => Promise<Result>): Promise<Result> {
  try {
    return await query();
  } catch (cause) {
    throw new ProblemError("CATALOG_UNAVAILABLE", "the catalog does not answer: try again", {}, {}, { cause });
  }
}
