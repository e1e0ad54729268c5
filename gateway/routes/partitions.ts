/** `GET /v1/partitions` and `GET /v1/partitions/{table}/{date}`: the states of partitions, and why they wait. */
import { planPolicy } from "../../lakehouse/builds/planning/policy.ts";
import { isNativeOnly } from "../../lakehouse/engine/ir/ir.ts";
import { waitingChecks } from "../../lakehouse/lookups/partitions/waiting-checks.ts";
import { explain, timeOf } from "../../lakehouse/lookups/partitions/waits.ts";
import { type Table, tableOfDomain } from "../../lakehouse/tables/catalog.ts";
import { type LivePartition, livePartition } from "../../lakehouse/tables/live-files.ts";
import { openBackfillOf } from "../../sql/statements/backfill-list.ts";
import { staleCounts } from "../../sql/statements/generations.ts";
import { notedPins } from "../../sql/statements/lookup-pins.ts";
import { decisionsOf } from "../../sql/statements/partition-decisions.ts";
import {
  countPartitions,
  listPartitions,
  type PartitionFacts,
  partitionFacts,
} from "../../sql/statements/partition-list.ts";
import { bronzeOfPartition, publishedOfPartition } from "../../sql/statements/partition-sight.ts";
import { lastChecks, runsOfPartition } from "../../sql/statements/run-list.ts";
import { builtTable, reachedDomains } from "../built-table.ts";
import { catalog } from "../catalog.ts";
import type { GatewayContext } from "../context.ts";
import type { GatewayDeps } from "../deps.ts";
import { queryOf } from "../openapi/parameters.ts";
import { date as dateSchema } from "../openapi/times.ts";
import { cursorParts, cursorText } from "../page-cursor.ts";
import { ProblemError } from "../problem.ts";
import { checkShown, runShown, waitingShown } from "../runs-shown.ts";
import { PARTITIONS_RIGHTS, partitionsQuery } from "./partitions.api.ts";

type Route = (c: GatewayContext) => Promise<Response>;

const FIRST_DATE = "0000-00-00";
const LAST_DATE = "9999-99-99";

export function getPartitions(deps: GatewayDeps): Route {
  return async function getPartitions(c) {
    const {
      table,
      from = FIRST_DATE,
      to = LAST_DATE,
      status = null,
      cursor,
      limit: text,
    } = queryOf(c, partitionsQuery);
    const domains = reachedDomains(c.get("reach"), PARTITIONS_RIGHTS, table);
    const [date = "", domain = ""] = cursor === undefined ? [] : cursorParts("partitions", 2, cursor);
    const after = cursor === undefined ? null : { date, domain };
    const limit = Number(text);
    const [counts, stale, found] = await catalog(() =>
      Promise.all([
        after === null ? countPartitions(deps.db, { domains, from, to }) : null,
        after === null ? staleCounts(deps.db) : null,
        listPartitions(deps.db, { domains, from, to, status, after }, limit + 1),
      ]),
    );
    const page = found.slice(0, limit);
    const last = found.length > limit ? page.at(-1) : undefined;
    return c.json({
      counts: counts === null ? null : Object.fromEntries(counts.map((each) => [each.status, each.partitions])),
      stale: stale === null ? null : staleShown(stale, domains),
      partitions: page.map((facts) => lineOf(facts, tableOfDomain(facts.domain))),
      next_cursor: last === undefined ? null : cursorText("partitions", [last.partition_date, last.domain]),
    });
  };
}

/** Counts of stale partitions by table, without the tables that the request left out. */
function staleShown(stale: ReadonlyMap<string, number>, domains: readonly string[] | null) {
  const asked = domains === null ? null : new Set(domains.map((domain) => tableOfDomain(domain)?.name ?? domain));
  return Object.fromEntries([...stale].filter(([name]) => asked === null || asked.has(name)));
}

const RUNS = 20;

export function getPartition(deps: GatewayDeps): Route {
  return async function getPartition(c) {
    const { table, date } = partitionNamed(c);
    const { db } = deps;
    const { domain } = table;
    const read = table.kind === "model" ? table.model.inputs.map((input) => input.table) : [];
    const [facts, bronze, live, published, checks, runs, decisions, backfill, pins] = await catalog(() =>
      Promise.all([
        partitionFacts(db, domain, date),
        table.kind === "topic" ? bronzeOfPartition(db, table.contract.topic, date) : null,
        livePartition(db, deps.lake, table.name, date),
        publishedOfPartition(db, read, date),
        lastChecks(db, domain, date),
        runsOfPartition(db, domain, date, RUNS),
        decisionsOf(db, domain, date),
        openBackfillOf(db, domain, date),
        table.kind === "model" ? notedPins(db, domain, date) : [],
      ]),
    );
    if (facts === null) throw unknownPartition(table, date);
    const versionOf = (name: string) => published.find(({ table_name }) => table_name === name)?.version ?? null;
    return c.json({
      ...lineOf(facts, table),
      remedy: explain(facts, table).remedy,
      closes_at: closingOf(domain, date),
      created_at: facts.created_at,
      retries_left: Math.max(0, planPolicy.maxRetries - facts.retry_count),
      lease:
        facts.lease_run === null
          ? null
          : {
              run_id: facts.lease_run,
              since: facts.lease_since,
              until: timeOf(facts.lease_until),
            },
      inputs: {
        changes: facts.version,
        changes_built: facts.built_version,
        files: bronze?.files ?? null,
        rows: bronze?.rows ?? null,
        sealed: bronze?.sealed ?? false,
        tables: read.map((name) => ({ table: name, version: versionOf(name) })),
        pins,
      },
      published: live === undefined ? null : publishedShown(live),
      backfill,
      checks: checks.map(checkShown),
      waiting_checks: waitingShown(waitingChecks(facts, table), table, date),
      runs: runs.map(runShown),
      decisions,
    });
  };
}

/** Null: it never closes. */
function closingOf(domain: string, date: string): string | null {
  const closes = planPolicy.closesAt(domain, date);
  return Number.isFinite(closes) ? new Date(closes).toISOString() : null;
}

function publishedShown({ version, run_id, generation, committed_at, rows, files }: LivePartition) {
  const data = files.filter(({ kind }) => kind === "data");
  const bytes = data.reduce((sum, file) => sum + file.bytes, 0);
  return { version, run_id, generation, committed_at, rows, files: data.length, bytes };
}

/** The table and date in the address. Throws the problems UNKNOWN_TABLE and INVALID_PARAMETER. */
export function partitionNamed(c: GatewayContext): { readonly table: Table; readonly date: string } {
  const parsed = dateSchema.safeParse(c.req.param("date"));
  if (!parsed.success) {
    throw new ProblemError(
      "INVALID_PARAMETER",
      `date: ${parsed.error.issues.map(({ message }) => message).join("; ")}`,
    );
  }
  return { table: builtTable(c.req.param("table")), date: parsed.data };
}

export function unknownPartition({ name }: Table, date: string): ProblemError {
  return new ProblemError("UNKNOWN_PARTITION", `nothing of ${name} ${date} was ever received or built`);
}

function lineOf(facts: PartitionFacts, table: Table | undefined) {
  return {
    table: table?.name ?? facts.domain,
    domain: facts.domain,
    layer: table?.layer ?? null,
    partition_date: facts.partition_date,
    status: facts.status,
    waits: explain(facts, table).waits,
    record_count: facts.record_count,
    stale: facts.stale,
    retry_count: facts.retry_count,
    revisions: facts.revisions,
    steps: takesSteps(table) ? stepsOf(facts, table?.kind === "topic") : null,
    error_message: facts.error_message,
    updated_at: facts.updated_at,
    processed_at: facts.processed_at,
  };
}

function stepsOf({ steps, unread_rows, vanished, splits, lease_run }: PartitionFacts, readsBronze: boolean) {
  const attempts = vanished + (lease_run === null ? 0 : 1);
  return { done: steps, unread_rows: readsBronze ? unread_rows : null, attempts, splits };
}

function takesSteps(table: Table | undefined): boolean {
  if (table?.kind === "model") return table.model.class.kind !== "whole" && !isNativeOnly(table.model);
  return table?.kind === "topic";
}
