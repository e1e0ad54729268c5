/** `GET /v1/runs` and `GET /v1/quality`: what builds did, and what their checks measured. */
import { listChecks, listEndedRuns, listRunningRuns, type RunPosition } from "../../sql/statements/run-list.ts";
import { reachedDomains } from "../built-table.ts";
import { catalog } from "../catalog.ts";
import type { GatewayContext } from "../context.ts";
import type { GatewayDeps } from "../deps.ts";
import { queryOf } from "../openapi/parameters.ts";
import { cursorParts, cursorText } from "../page-cursor.ts";
import { checkShown, runShown } from "../runs-shown.ts";
import { qualityQuery, RUNS_RIGHTS, runsQuery } from "./runs.api.ts";

type Route = (c: GatewayContext) => Promise<Response>;

/** Runs that a page looks at: what it costs at most, whatever it is asked for. */
const EXAMINED_RUNS = 2_000;
/** Fewer, since all their checks are told. */
const EXAMINED_CHECKS = 100;

export function getRuns(deps: GatewayDeps): Route {
  return async function getRuns(c) {
    const { table, date = null, status = null, cursor, limit: text } = queryOf(c, runsQuery);
    const domains = reachedDomains(c.get("reach"), RUNS_RIGHTS, table);
    const filter = { domains, date, status, after: positionOf("runs", cursor) };
    const limit = Number(text);
    const running =
      filter.after === null && (status === null || status === "RUNNING")
        ? await catalog(() => listRunningRuns(deps.db, filter, limit))
        : [];
    const room = limit - running.length;
    if (status === "RUNNING" || room === 0) return c.json({ runs: running.map(runShown), next_cursor: null });
    const { rows, next } = await catalog(() => listEndedRuns(deps.db, filter, room, EXAMINED_RUNS));
    return c.json({ runs: [...running, ...rows].map(runShown), next_cursor: cursorAt("runs", next) });
  };
}

export function getQuality(deps: GatewayDeps): Route {
  return async function getQuality(c) {
    const { table, date = null, passed, check = null, cursor } = queryOf(c, qualityQuery);
    const domains = reachedDomains(c.get("reach"), RUNS_RIGHTS, table);
    const filter = {
      ...{ domains, date, status: null, after: positionOf("quality", cursor), check },
      passed: passed === undefined ? null : passed === "true",
    };
    const { rows, next } = await catalog(() => listChecks(deps.db, filter, EXAMINED_CHECKS));
    return c.json({ checks: rows.map(checkShown), next_cursor: cursorAt("quality", next) });
  };
}

function positionOf(list: string, cursor: string | undefined): RunPosition | null {
  if (cursor === undefined) return null;
  const [finished_at = "", domain = "", partition_date = "", run_id = ""] = cursorParts(list, 4, cursor);
  return { finished_at, domain, partition_date, run_id };
}

function cursorAt(list: string, next: RunPosition | null): string | null {
  if (next === null) return null;
  return cursorText(list, [next.finished_at, next.domain, next.partition_date, next.run_id]);
}
