/**
 * What builds of a partition know, and the commits of the steps that publish nothing. Of silver, whose domain is a topic, and of models,
 * whose domain stands in the same column.
 */
import { rowsOf } from "../rows/row.ts";
import type { RowValues } from "../rows/row-error.ts";
import { type AddedFile, candidateFiles } from "./data-files.ts";
import { type Guard, leaseGuard } from "./guard.ts";
import { type Failure, failRun, type Lease } from "./leases.ts";
import { endRun } from "./runs.ts";
import { tombstoneColumns } from "./tombstones.ts";

export interface ProgressRow {
  readonly line: "published" | "candidate";
  readonly build_id: string;
  readonly run_id: string;
  readonly steps: number;
  readonly basis: "published" | "empty";
  /** A candidate with all that there was, which its gate held back. */
  readonly blocked: boolean;
  /** JSON. */
  readonly progress: string;
}

export interface ProgressRows {
  readonly candidate: ProgressRow | undefined;
  /** Of the last version that a build published. */
  readonly published: ProgressRow | undefined;
  /** Whether that version is the published one: it is not where an older one was brought back, or one was adopted. */
  readonly current: boolean;
  /** Rows of the published version; 0 when there is none. */
  readonly publishedRows: number;
}

const LINES = ["published", "candidate"] as const;
const REMEDY = "delete the row: the partition is then built from its beginning";
const PROGRESS = rowsOf(
  { table: "silver_progress", key: ["topic", "partition_date", "line"], remedy: REMEDY },
  (row): ProgressRow => ({
    line: row.oneOf("line", LINES),
    build_id: row.text("build_id"),
    run_id: row.text("run_id"),
    steps: row.integer("steps"),
    basis: row.oneOf("basis", ["published", "empty"]),
    blocked: row.flag("blocked"),
    progress: row.text("progress"),
  }),
);
const LIVE = rowsOf({ table: "published", key: ["table_name", "partition_date"], remedy: "ask again" }, (row) => ({
  run: row.text("run_id"),
  rows: row.count("rows"),
}));

export async function silverProgress(
  db: D1Database,
  table: string,
  topic: string,
  date: string,
): Promise<ProgressRows> {
  const [lines, live] = await db.batch<RowValues>([
    db.prepare("SELECT * FROM silver_progress WHERE topic = ? AND partition_date = ?").bind(topic, date),
    db
      .prepare(
        `SELECT p.table_name, p.partition_date, v.run_id, p.rows FROM published p JOIN versions v USING (table_name, version)
         WHERE p.table_name = ? AND p.partition_date = ?`,
      )
      .bind(table, date),
  ]);
  const rows = PROGRESS.in(lines);
  const [current] = LIVE.in(live);
  const published = rows.find(({ line }) => line === "published");
  return {
    candidate: rows.find(({ line }) => line === "candidate"),
    published,
    current: published !== undefined && published.run_id === current?.run,
    publishedRows: current?.rows ?? 0,
  };
}

/** What a step leaves behind. */
export interface StepRow extends Omit<ProgressRow, "line" | "run_id" | "blocked"> {
  readonly topic: string;
}

/**
 * Statements of a commit that publishes: the next build goes on from here. `replaced`: objects of keys that go with it. Runs whose
 * gate held an earlier state of the candidate back have left nothing behind: their files are published now.
 */
export function publishProgress(
  step: StepRow,
  { wasCandidate, replaced }: { readonly wasCandidate: boolean; readonly replaced: readonly string[] },
  guard: Guard,
): D1PreparedStatement[] {
  return [
    writeProgress("published", step, 0, guard),
    ...(wasCandidate ? [dropCandidate(step.topic, guard), keepRuns(step, guard)] : []),
    ...(replaced.length > 0 ? [buryObjects(replaced, guard)] : []),
  ];
}

/** Commits a step of a candidate that has more to read: the partition waits for its next one. Gives whether it is ours. */
export async function commitStep(
  db: D1Database,
  lease: Lease,
  table: string,
  step: StepRow,
  files: readonly AddedFile[],
  rows: { readonly in: number; readonly out: number },
): Promise<boolean> {
  const guard = leaseGuard(db, lease);
  const { held, prepare } = guard;
  const results = await db.batch<RowValues>([
    ...candidateFiles(table, step.build_id, files, guard),
    writeProgress("candidate", step, 0, guard),
    prepare(
      `UPDATE partition_meta SET status = iif(status = 'IN_FLIGHT', 'PENDING', status), retry_count = 0, error_message = NULL,
         updated_at = ${NOW} WHERE domain = ?1 AND partition_date = ?2 AND ${held}`,
    ),
    prepare(
      `${endRun("DONE", { rows_in: "?5", rows_out: "?6" })} AND l.run_id = ?3 AND l.fence = ?4`,
      rows.in,
      rows.out,
    ),
    prepare(
      `UPDATE partition_leases SET run_id = NULL, lease_until = 0, queued_at = 0, not_before = 0, failure_class = NULL, failed_version = NULL,
         vanished = 0, splits = iif(pieces > 1, splits, 0), pieces = max(pieces - 1, 0)
       WHERE domain = ?1 AND partition_date = ?2 AND run_id = ?3 AND fence = ?4`,
    ),
    isCandidateOf(db, lease, step.topic),
  ]);
  return MINE.in(results.at(-1))[0] === 1;
}

/** Ends a run whose gate held the candidate back: it stays as it is, for whoever looks at it and for the rows to come. */
export function blockCandidate(
  db: D1Database,
  lease: Lease,
  table: string,
  step: StepRow,
  files: readonly AddedFile[],
  failure: Failure,
): D1PreparedStatement[] {
  const guard = leaseGuard(db, lease);
  return [
    ...candidateFiles(table, step.build_id, files, guard),
    writeProgress("candidate", step, 1, guard),
    ...failRun(db, lease, failure),
  ];
}

/** Forgets a candidate, and lets its files go, and `objects`: those of its keys, and what this run staged and nobody lists. */
export function discardCandidate(
  db: D1Database,
  lease: Lease,
  table: string,
  topic: string,
  objects: readonly string[],
): D1PreparedStatement[] {
  const guard = leaseGuard(db, lease);
  const { held, prepare } = guard;
  return [
    prepare(
      `INSERT INTO tombstones (object, reason, tombstoned_at, delete_after)
       SELECT ${tombstoneColumns("file", "'a candidate that was given up'")} FROM data_files
       WHERE table_name = ?5 AND partition_date = ?2 AND added IS NULL AND ${held} ON CONFLICT DO NOTHING`,
      table,
    ),
    buryObjects(objects, guard),
    prepare(
      `DELETE FROM data_files WHERE table_name = ?5 AND partition_date = ?2 AND added IS NULL AND ${held}`,
      table,
    ),
    dropCandidate(topic, guard),
  ];
}

/** Lets objects go that no progress names any more. */
function buryObjects(objects: readonly string[], { held, prepare }: Guard): D1PreparedStatement {
  return prepare(
    `INSERT INTO tombstones (object, reason, tombstoned_at, delete_after)
     SELECT ${tombstoneColumns("value", "'of no build any more'")} FROM json_each(?5) WHERE ${held} ON CONFLICT DO NOTHING`,
    JSON.stringify(objects),
  );
}

const MINE = rowsOf({ table: "silver_progress", key: [], remedy: "ask again" }, (row) => row.integer("mine"));

const NOW = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')";

function writeProgress(line: ProgressRow["line"], step: StepRow, blocked: 0 | 1, { held, prepare }: Guard) {
  return prepare(
    `INSERT INTO silver_progress (topic, partition_date, line, build_id, run_id, steps, basis, blocked, progress, updated_at)
     SELECT ?5, ?2, ?6, ?7, ?3, ?8, ?9, ?10, ?11, ${NOW} WHERE ${held}
     ON CONFLICT DO UPDATE SET build_id = excluded.build_id, run_id = excluded.run_id, steps = excluded.steps, basis = excluded.basis,
       blocked = excluded.blocked, progress = excluded.progress, updated_at = excluded.updated_at`,
    step.topic,
    line,
    step.build_id,
    step.steps,
    step.basis,
    blocked,
    step.progress,
  );
}

function dropCandidate(topic: string, { held, prepare }: Guard): D1PreparedStatement {
  return prepare(
    `DELETE FROM silver_progress WHERE topic = ?5 AND partition_date = ?2 AND line = 'candidate' AND ${held}`,
    topic,
  );
}

function keepRuns({ topic, build_id }: StepRow, { held, prepare }: Guard): D1PreparedStatement {
  return prepare(
    `DELETE FROM abandoned_runs WHERE domain = ?5 AND partition_date = ?2 AND ${held} AND EXISTS (
       SELECT 1 FROM data_files f WHERE f.table_name IN (?5, 'silver_' || ?5) AND f.partition_date = ?2 AND f.candidate = ?6
         AND instr(f.file, '/' || abandoned_runs.run_id || '-') > 0)`,
    topic,
    build_id,
  );
}

function isCandidateOf(db: D1Database, { date, runId }: Lease, topic: string): D1PreparedStatement {
  return db
    .prepare(
      `SELECT count(*) AS mine FROM silver_progress WHERE topic = ? AND partition_date = ? AND line = 'candidate' AND run_id = ?`,
    )
    .bind(topic, date, runId);
}

/** Whether a candidate's last step is of this run: the question after a commit whose answer was lost. */
export async function isStepOf(db: D1Database, lease: Lease, topic: string): Promise<boolean> {
  return (await MINE.first(isCandidateOf(db, lease, topic))) === 1;
}
