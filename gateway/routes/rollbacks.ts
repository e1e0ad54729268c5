/** `POST /v1/tables/{table}/rollback` and `/release`: a table, or one partition, as it was, and on again. */
import { rollBackTable } from "../../lakehouse/builds/rollback.ts";
import { publishedTable } from "../../sql/statements/published.ts";
import { releasePins } from "../../sql/statements/rollbacks.ts";
import { listVersions, readableVersion } from "../../sql/statements/versions.ts";
import { builtTable } from "../built-table.ts";
import { catalog } from "../catalog.ts";
import type { GatewayContext } from "../context.ts";
import type { GatewayDeps } from "../deps.ts";
import { bodyOf } from "../openapi/json-body.ts";
import { ProblemError } from "../problem.ts";
import { releaseBody, rollbackBody } from "./rollbacks.api.ts";

export function postRollback(deps: GatewayDeps): (c: GatewayContext) => Promise<Response> {
  return async function postRollback(c) {
    const table = builtTable(c.req.param("table"));
    const { version, partition, reason } = await bodyOf(c, rollbackBody);
    const { db } = deps;
    return await catalog(async () => {
      const published = await publishedTable(db, table.name);
      const readable = await readableVersion(db, table.name, version);
      const own = partition === undefined ? [] : await listVersions(db, table.name, partition, version + 1, 1);
      if (
        published === null ||
        version > published.version ||
        !(readable?.version === version || own[0]?.version === version)
      )
        throw new ProblemError(
          "UNKNOWN_VERSION",
          `${table.name} cannot be rolled back to version ${version}; see /v1/tables/${table.name}/versions`,
        );
      const run = { db, bucket: deps.lake, newRunId: () => deps.ids.uuidv7() };
      const why = `${reason} (key ${c.get("grant").keyId})`;
      const request = { version, date: partition ?? null, reason: why };
      return c.json({ table_name: table.name, version, ...(await rollBackTable(run, table, request)) });
    });
  };
}

export function postRelease(deps: GatewayDeps): (c: GatewayContext) => Promise<Response> {
  return async function postRelease(c) {
    const table = builtTable(c.req.param("table"));
    const { partition = null } = await bodyOf(c, releaseBody);
    const released = await catalog(() => releasePins(deps.db, table.domain, partition));
    return c.json({ table_name: table.name, released });
  };
}
