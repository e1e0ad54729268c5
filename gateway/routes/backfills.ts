/** `/v1/backfills`: partitions of a time are built, or built again, a few at a time. */
import {
  type BackfillPlan,
  PointlessBackfillError,
  planBackfill,
  TooManyPartitionsError,
} from "../../lakehouse/builds/planning/backfills.ts";
import { tableOfDomain } from "../../lakehouse/tables/catalog.ts";
import {
  backfillById,
  backfillPartitions,
  type CountedBackfill,
  listBackfills,
} from "../../sql/statements/backfill-list.ts";
import {
  type BackfillCandidate,
  cancelBackfill,
  createBackfill,
  resumeBackfill,
} from "../../sql/statements/backfills.ts";
import { reachedDomains, reachedTable, reachesDomain } from "../built-table.ts";
import { catalog } from "../catalog.ts";
import type { GatewayContext } from "../context.ts";
import type { GatewayDeps } from "../deps.ts";
import { bodyOf } from "../openapi/json-body.ts";
import { queryOf } from "../openapi/parameters.ts";
import { cursorParts, cursorText } from "../page-cursor.ts";
import { ProblemError } from "../problem.ts";
import { BACKFILL_LIST_RIGHTS, BACKFILL_RIGHTS, backfillBody, backfillsQuery } from "./backfills.api.ts";

type Route = (c: GatewayContext) => Promise<Response>;

export function postBackfill(deps: GatewayDeps): Route {
  return async function postBackfill(c) {
    const wanted = await bodyOf(c, backfillBody);
    const { from, to, reprocess, max_active_runs } = wanted;
    const reach = c.get("reach");
    const table = reachedTable(reach, BACKFILL_RIGHTS, wanted.table);
    if (from > to) throw new ProblemError("INVALID_PARAMETER", "from: must not be after `to`");
    const layer = wanted.layer ?? table.layer;
    const plan = await planned(() => planBackfill(deps.db, { table, layer, from, to, reprocess }));
    for (const name of plan.tables) reachedTable(reach, BACKFILL_RIGHTS, name);
    const said = {
      refused: plan.sealed.map((each) => ({
        table: nameOf(each.domain),
        partition_date: each.partition_date,
        code: "BRONZE_RETIRED",
        detail: "its bronze is past retention; what is published stays",
      })),
      left: plan.left,
      tables: plan.tables,
      followers: plan.followers,
    };
    const asked = { table: table.name, layer, from, to, reprocess, max_active_runs };
    if (wanted.dry_run || plan.partitions.length === 0) {
      const partitions = plan.partitions.map(partitionShown);
      return c.json({ dry_run: wanted.dry_run, backfill_id: null, ...asked, partitions, ...said });
    }
    const backfill_id = deps.ids.uuidv7();
    const created_by = c.get("grant").keyId;
    const row = { backfill_id, domain: table.domain, layer, from_date: from, to_date: to, reprocess };
    await catalog(() => createBackfill(deps.db, { ...row, max_active_runs, created_by }, plan.partitions));
    return c.json({ ...(await detailOf(deps, backfill_id, () => true)), dry_run: false, ...said }, 201);
  };
}

async function planned(plan: () => Promise<BackfillPlan>): Promise<BackfillPlan> {
  return await catalog(async () => {
    try {
      return await plan();
    } catch (cause) {
      if (cause instanceof TooManyPartitionsError)
        throw new ProblemError("INVALID_PARAMETER", `from: ${cause.message}`);
      if (cause instanceof PointlessBackfillError)
        throw new ProblemError("INVALID_PARAMETER", `layer: ${cause.message}`);
      throw cause;
    }
  });
}

export function getBackfills(deps: GatewayDeps): Route {
  return async function getBackfills(c) {
    const { table, cursor, limit: text } = queryOf(c, backfillsQuery);
    const domains = reachedDomains(c.get("reach"), BACKFILL_LIST_RIGHTS, table);
    const [before = null] = cursor === undefined ? [] : cursorParts("backfills", 1, cursor);
    const limit = Number(text);
    const found = await catalog(() => listBackfills(deps.db, domains, before, limit + 1));
    const page = found.slice(0, limit);
    const last = found.length > limit ? page.at(-1) : undefined;
    return c.json({
      backfills: page.map(backfillShown),
      next_cursor: last === undefined ? null : cursorText("backfills", [last.backfill_id]),
    });
  };
}

export function getBackfill(deps: GatewayDeps): Route {
  return async function getBackfill(c) {
    return c.json(await detailOf(deps, idOf(c), (domain) => reachesDomain(c.get("reach"), domain)));
  };
}

export function postBackfillCancel(deps: GatewayDeps): Route {
  return async function postBackfillCancel(c) {
    const reaches = (domain: string) => reachesDomain(c.get("reach"), domain);
    const { backfill_id, state } = await detailOf(deps, idOf(c), reaches);
    if (!(await catalog(() => cancelBackfill(deps.db, backfill_id)))) {
      throw new ProblemError("BACKFILL_STATE", `backfill ${backfill_id} is ${state}: there is nothing to cancel`);
    }
    return c.json(await detailOf(deps, backfill_id, reaches));
  };
}

export function postBackfillResume(deps: GatewayDeps): Route {
  return async function postBackfillResume(c) {
    const reaches = (domain: string) => reachesDomain(c.get("reach"), domain);
    const { backfill_id, state } = await detailOf(deps, idOf(c), reaches);
    if ((await catalog(() => resumeBackfill(deps.db, backfill_id))) === 0) {
      const why = "nothing of it was cancelled or failed";
      throw new ProblemError("BACKFILL_STATE", `backfill ${backfill_id} is ${state}: ${why}`);
    }
    return c.json(await detailOf(deps, backfill_id, reaches));
  };
}

function idOf(c: GatewayContext): string {
  return c.req.param("backfill_id") ?? "";
}

/** Throws the problem UNKNOWN_BACKFILL, also for one of a table that the key may not read. */
async function detailOf({ db }: GatewayDeps, id: string, reaches: (domain: string) => boolean) {
  const [backfill, started, failed] = await catalog(() =>
    Promise.all([
      backfillById(db, id),
      backfillPartitions(db, id, ["STARTED"], SHOWN),
      backfillPartitions(db, id, ["FAILED"], SHOWN),
    ]),
  );
  if (backfill === null || !reaches(backfill.domain)) {
    throw new ProblemError("UNKNOWN_BACKFILL", `there is no backfill "${id.slice(0, 100)}"`);
  }
  return {
    ...backfillShown(backfill),
    started: started.map((each) => ({ ...partitionShown(each), started_at: each.started_at })),
    failed: failed.map((each) => ({ ...partitionShown(each), error_message: each.error_message })),
  };
}

const SHOWN = 100;

function nameOf(domain: string): string {
  return tableOfDomain(domain)?.name ?? domain;
}

function partitionShown({
  domain,
  partition_date,
  status,
}: Pick<BackfillCandidate, "domain" | "partition_date" | "status">) {
  return { table: nameOf(domain), partition_date, status };
}

function backfillShown({
  backfill_id,
  domain,
  from_date,
  to_date,
  cancelled_at,
  ended_at,
  counts,
  ...rest
}: CountedBackfill) {
  const { layer, reprocess, max_active_runs, created_by, created_at } = rest;
  const { WAITING = 0, STARTED = 0, DONE = 0, FAILED = 0, CANCELLED = 0 } = counts;
  const ended = ended_at !== null;
  return {
    backfill_id,
    table: nameOf(domain),
    layer,
    from: from_date,
    to: to_date,
    reprocess,
    max_active_runs,
    state: cancelled_at === null ? (ended ? "DONE" : "RUNNING") : ended ? "CANCELLED" : "CANCELLING",
    counts: {
      total: WAITING + STARTED + DONE + FAILED + CANCELLED,
      waiting: WAITING,
      started: STARTED,
      done: DONE,
      failed: FAILED,
      cancelled: CANCELLED,
    },
    created_by,
    created_at,
    ended_at,
  };
}
