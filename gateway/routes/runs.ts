/** `GET /v1/runs` and `GET /v1/quality`: what builds did, and what their checks measured. */
import { waitingChecks } from "../../lakehouse/lookups/partitions/waiting-checks.ts";
import { tableOfDomain } from "../../lakehouse/tables/catalog.ts";
import { type AwaitedClosing, awaitedClosings } from "../../sql/statements/awaited-closings.ts";
import { listChecks, listEndedRuns, listRunningRuns, type RunPosition } from "../../sql/statements/run-list.ts";
import { reachedDomains } from "../built-table.ts";
import { catalog } from "../catalog.ts";
import type { GatewayContext } from "../context.ts";
import type { GatewayDeps } from "../deps.ts";
import { queryOf } from "../openapi/parameters.ts";
import { cursorParts, cursorText } from "../page-cursor.ts";
import { checkShown, runShown, waitingShown } from "../runs-shown.ts";
import { qualityQuery, RUNS_RIGHTS, runsQuery } from "./runs.api.ts";

type Route = (c: GatewayContext) => Promise<Response>;

/** Runs that a page looks at: what it costs at most, whatever it is asked for. */
const EXAMINED_RUNS = 2_000;
/** Fewer, since all their checks are told. */
const EXAMINED_CHECKS = 100;
/** Partitions whose checks wait: mostly those of two or three dates. */
const AWAITED_CLOSINGS = 200;

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
    const [{ rows, next }, closings] = await catalog(() =>
      Promise.all([
        listChecks(deps.db, filter, EXAMINED_CHECKS),
        filter.after === null && filter.passed === null
          ? awaitedClosings(deps.db, { domains, date }, AWAITED_CLOSINGS)
          : null,
      ]),
    );
    return c.json({
      checks: rows.map(checkShown),
      waiting: closings?.flatMap((closing) => waitingOf(closing, check)) ?? null,
      next_cursor: cursorAt("quality", next),
    });
  };
}

/** `check`: only the one of this name; null: all. */
function waitingOf(closing: AwaitedClosing, check: string | null) {
  const table = tableOfDomain(closing.domain);
  if (table === undefined) return [];
  const waiting = waitingShown(waitingChecks(closing, table), table, closing.partition_date);
  return waiting.filter(({ check_name }) => check === null || check_name === check);
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
