/** Runs and the results of their checks in lists: those that ended last first. Runs of versions that wrote the table `runs` are not listed. */
import * as z from "zod";
import { type Row, type RowResult, rowsOf } from "../rows/row.ts";
import type { RowValues } from "../rows/row-error.ts";
import { readableChecks } from "./quality.ts";
import { COMPACTION } from "./runs.ts";

export interface ListedRun {
  readonly run_id: string;
  readonly domain: string;
  readonly partition_date: string;
  readonly fence: number;
  readonly status: "RUNNING" | "DONE" | "FAILED" | "LOST";
  /** ISO 8601 UTC. */
  readonly started_at: string;
  readonly finished_at: string | null;
  readonly rows_in: number | null;
  readonly rows_out: number | null;
  readonly error_message: string | null;
  /** `compaction`: it put rows into fewer files. */
  readonly kind: "build" | "compaction";
}

/** Where a run stands in the list of those that ended. */
export interface RunPosition {
  readonly finished_at: string;
  readonly domain: string;
  readonly partition_date: string;
  readonly run_id: string;
}

export interface RunFilter {
  /** null: of every domain. */
  readonly domains: readonly string[] | null;
  readonly date: string | null;
  readonly status: string | null;
  readonly after: RunPosition | null;
}

const SOURCE = {
  table: "ended_runs",
  key: ["domain", "partition_date", "run_id"],
  remedy: "delete the row: it only tells of a run that ended",
};

const RUNS = rowsOf(
  SOURCE,
  (row): ListedRun => ({
    run_id: row.text("run_id"),
    domain: row.text("domain"),
    partition_date: row.text("partition_date"),
    fence: row.integer("fence"),
    status: row.oneOf("status", ["RUNNING", "DONE", "FAILED", "LOST"]),
    started_at: row.text("started_at"),
    finished_at: row.textOrNull("finished_at"),
    rows_in: row.integerOrNull("rows_in"),
    rows_out: row.integerOrNull("rows_out"),
    error_message: row.textOrNull("error_message"),
    kind: row.oneOf("kind", ["build", "compaction"]),
  }),
);

const positionIn = (row: Row): RunPosition => ({
  finished_at: row.text("finished_at"),
  domain: row.text("domain"),
  partition_date: row.text("partition_date"),
  run_id: row.text("run_id"),
});
const POSITIONS = rowsOf(SOURCE, positionIn);

export interface Examined<Listed> {
  readonly rows: readonly Listed[];
  /** The last run that was looked at, whether it was wanted or not: where the next page goes on. null: there are no more. */
  readonly next: RunPosition | null;
}

const RUN =
  "run_id, domain, partition_date, fence, status, started_at, finished_at, rows_in, rows_out, error_message, kind";
/** The index by the end of runs holds the primary key, too: the order costs nothing. */
const ORDER = "finished_at DESC, domain DESC, partition_date DESC, run_id DESC";

/** The runs that are looked at for a page: ?5 of them behind the position in ?1 to ?4, whatever they are of. */
function examinedRuns(columns: string, after: RunPosition | null): string {
  const behind =
    after === null
      ? "?1 IS NULL"
      : "finished_at <= ?1 AND (finished_at, domain, partition_date, run_id) < (?1, ?2, ?3, ?4)";
  return `SELECT ${columns} FROM ended_runs INDEXED BY ended_runs_by_end WHERE ${behind} ORDER BY ${ORDER} LIMIT ?5`;
}

const WANTED = "(?6 IS NULL OR domain IN (SELECT value FROM json_each(?6))) AND (?7 IS NULL OR partition_date = ?7)";

function placeOf(after: RunPosition | null): (string | null)[] {
  if (after === null) return [null, null, null, null];
  return [after.finished_at, after.domain, after.partition_date, after.run_id];
}

function bound(
  db: D1Database,
  sql: string,
  { after, domains, date }: RunFilter,
  examined: number,
  ...more: (string | number | null)[]
): D1PreparedStatement {
  const names = domains === null ? null : JSON.stringify(domains);
  return db.prepare(sql).bind(...placeOf(after), examined, names, date, ...more);
}

/** The position of the last run that was looked at, if there were as many as were asked for. */
function lastExamined(db: D1Database, after: RunPosition | null, examined: number): D1PreparedStatement {
  const runs = examinedRuns("finished_at, domain, partition_date, run_id", after);
  return db
    .prepare(`SELECT * FROM (${runs}) ORDER BY ${ORDER} LIMIT 1 OFFSET ?5 - 1`)
    .bind(...placeOf(after), examined);
}

/** At most `limit` runs that ended, of at most `examined` that are looked at: a page may be short and have a next one. */
export async function listEndedRuns(
  db: D1Database,
  filter: RunFilter,
  limit: number,
  examined: number,
): Promise<Examined<ListedRun>> {
  const [wanted, last] = await db.batch<RowValues>([
    bound(
      db,
      `SELECT ${RUN} FROM (${examinedRuns(RUN, filter.after)}) WHERE ${WANTED} AND (?8 IS NULL OR status = ?8) ORDER BY ${ORDER} LIMIT ?9`,
      filter,
      examined,
      filter.status,
      limit,
    ),
    lastExamined(db, filter.after, examined),
  ]);
  const rows = RUNS.in(wanted);
  // A page that is full goes on behind its own last run, not behind the last that was looked at.
  const full = rows.length === limit ? endOf(wanted) : undefined;
  return { rows, next: full ?? endOf(last) ?? null };
}

/** The position of the last row. */
function endOf(result: RowResult | undefined): RunPosition | undefined {
  return POSITIONS.in(result).at(-1);
}

/** The runs that hold a lease: of partitions that are not done, so that it costs what is active. */
export async function listRunningRuns(
  db: D1Database,
  { domains, date }: Pick<RunFilter, "domains" | "date">,
  limit: number,
): Promise<ListedRun[]> {
  return await RUNS.all(
    db
      .prepare(
        `SELECT l.run_id, l.domain, l.partition_date, l.fence, 'RUNNING' AS status, coalesce(l.started_at, m.updated_at) AS started_at,
              NULL AS finished_at, NULL AS rows_in, NULL AS rows_out, NULL AS error_message,
              iif(l.nonce = '${COMPACTION}', 'compaction', 'build') AS kind
       FROM partition_meta m INDEXED BY partition_meta_active
       JOIN partition_leases l ON l.domain = m.domain AND l.partition_date = m.partition_date
       WHERE m.status <> 'DONE' AND l.run_id IS NOT NULL
         AND (?1 IS NULL OR m.domain IN (SELECT value FROM json_each(?1))) AND (?2 IS NULL OR m.partition_date = ?2)
       ORDER BY l.run_id DESC LIMIT ?3`,
      )
      .bind(domains === null ? null : JSON.stringify(domains), date, limit),
  );
}

/** The runs of one partition that ended, the newest first: run ids are ordered by time. */
export async function runsOfPartition(
  db: D1Database,
  domain: string,
  date: string,
  limit: number,
): Promise<ListedRun[]> {
  return await RUNS.all(
    db
      .prepare(`SELECT ${RUN} FROM ended_runs WHERE domain = ?1 AND partition_date = ?2 ORDER BY run_id DESC LIMIT ?3`)
      .bind(domain, date, limit),
  );
}

export interface ListedCheck {
  readonly run_id: string;
  readonly domain: string;
  readonly partition_date: string;
  readonly table_name: string;
  readonly layer: string;
  readonly check_name: string;
  readonly metric: string;
  /** null: a query gave no number. */
  readonly measured: number | null;
  /** As the contract writes it: `{"mustBe": 0}`. */
  readonly bound: Readonly<Record<string, unknown>>;
  readonly passed: boolean;
  readonly on_fail: string;
  /** Row numbers in `candidate`. */
  readonly failing_rows: readonly number[];
  readonly candidate: string | null;
  /** Why nothing was measured. */
  readonly problem: string | null;
  readonly checked_at: string;
}

const boundSchema = z.record(z.string(), z.unknown());
const rowNumbers = z.array(z.int());

const CHECKS = rowsOf(
  SOURCE,
  (row): ListedCheck => ({
    run_id: row.text("run_id"),
    domain: row.text("domain"),
    partition_date: row.text("partition_date"),
    table_name: row.text("table_name"),
    layer: row.text("layer"),
    check_name: row.text("check_name"),
    metric: row.text("metric"),
    measured: row.numberOrNull("measured"),
    bound: row.json("bound", boundSchema),
    passed: row.flag("passed"),
    on_fail: row.text("on_fail"),
    failing_rows: row.jsonOrNull("failing_rows", rowNumbers) ?? [],
    candidate: row.textOrNull("candidate"),
    problem: row.textOrNull("problem"),
    checked_at: row.text("checked_at"),
  }),
);

const text = (of: string, name: string) => `CAST(${of} ->> '${name}' AS TEXT) AS ${name}`;
const CHECK = `r.run_id, r.domain, r.partition_date, ${text("r.checks", "table_name")},
  ${["layer", "check_name", "metric"].map((name) => text("c.value", name)).join(", ")},
  CAST(c.value ->> 'measured' AS REAL) AS measured, ${text("c.value", "bound")}, CAST(c.value ->> 'passed' AS INTEGER) AS passed,
  ${["on_fail", "failing_rows", "candidate", "problem"].map((name) => text("c.value", name)).join(", ")}, ${text("r.checks", "checked_at")}`;

/** What the checks of at most `examined` runs measured. `passed`: only those that did or did not. */
export async function listChecks(
  db: D1Database,
  filter: RunFilter & { readonly passed: boolean | null; readonly check: string | null },
  examined: number,
): Promise<Examined<ListedCheck>> {
  const { passed, check } = filter;
  const [wanted, last] = await db.batch<RowValues>([
    bound(
      db,
      `SELECT ${CHECK} FROM (${examinedRuns(`run_id, domain, partition_date, finished_at, ${readableChecks("checks")} AS checks`, filter.after)}) r, json_each(r.checks, '$.results') c
       WHERE r.checks IS NOT NULL AND ${WANTED} AND (?8 IS NULL OR c.value ->> 'passed' = ?8) AND (?9 IS NULL OR c.value ->> 'check_name' = ?9)
       ORDER BY ${ORDER}, c.key`,
      filter,
      examined,
      passed === null ? null : passed ? 1 : 0,
      check,
    ),
    lastExamined(db, filter.after, examined),
  ]);
  return { rows: CHECKS.in(wanted), next: endOf(last) ?? null };
}

/** What the checks of the last run of a partition that came to any measured. */
export async function lastChecks(db: D1Database, domain: string, date: string): Promise<ListedCheck[]> {
  return await CHECKS.all(
    db
      .prepare(
        `SELECT ${CHECK} FROM (
         SELECT run_id, domain, partition_date, ${readableChecks("checks")} AS checks FROM ended_runs
         WHERE domain = ?1 AND partition_date = ?2 AND checks IS NOT NULL ORDER BY run_id DESC LIMIT 1) r, json_each(r.checks, '$.results') c
       ORDER BY c.key`,
      )
      .bind(domain, date),
  );
}
