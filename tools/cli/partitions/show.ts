/** `sluice partitions show TABLE DATE`. */
import * as z from "zod";
import { printTable } from "../../lake/print-table.ts";
import type { PlatformAddress } from "../../platform-address.ts";
import { callPlatform } from "../../platform-call.ts";

const partition = z.looseObject({
  table: z.string(),
  partition_date: z.string(),
  status: z.string(),
  waits: z.string(),
  remedy: z.string().nullable(),
  closes_at: z.string().nullable(),
  record_count: z.int(),
  retry_count: z.int(),
  retries_left: z.int(),
  revisions: z.int(),
  steps: z.object({ done: z.int(), unread_rows: z.int().nullable(), attempts: z.int(), splits: z.int() }).nullable(),
  error_message: z.string().nullable(),
  processed_at: z.string().nullable(),
  lease: z.object({ run_id: z.string(), since: z.string().nullable(), until: z.string() }).nullable(),
  inputs: z.object({
    changes: z.int(),
    changes_built: z.int(),
    files: z.int().nullable(),
    rows: z.int().nullable(),
    sealed: z.boolean(),
    tables: z.array(z.object({ table: z.string(), version: z.int().nullable() })),
    // A platform of an earlier version has none.
    pins: z.array(z.object({ table: z.string(), version: z.int() })).default([]),
  }),
  published: z.looseObject({ version: z.int(), committed_at: z.string(), rows: z.int(), files: z.int() }).nullable(),
  backfill: z.object({ backfill_id: z.string(), state: z.string() }).nullable(),
  checks: z.array(
    z.looseObject({
      layer: z.string(),
      check_name: z.string(),
      measured: z.number().nullable(),
      bound: z.record(z.string(), z.unknown()),
      passed: z.boolean(),
      on_fail: z.string(),
    }),
  ),
  // A platform of an earlier version has none.
  waiting_checks: z
    .array(
      z.looseObject({
        layer: z.string(),
        check_name: z.string(),
        bound: z.record(z.string(), z.unknown()),
        on_fail: z.string(),
        judged_at: z.string(),
      }),
    )
    .default([]),
  runs: z.array(
    z.looseObject({
      run_id: z.string(),
      kind: z.string(),
      status: z.string(),
      started_at: z.string(),
      finished_at: z.string().nullable(),
      rows_in: z.int().nullable(),
      rows_out: z.int().nullable(),
    }),
  ),
  decisions: z.array(
    z.looseObject({ action: z.string(), reason: z.string(), decided_by: z.string(), decided_at: z.string() }),
  ),
});
type Partition = z.infer<typeof partition>;

export async function show(platform: PlatformAddress, table: string, date: string, json: boolean): Promise<void> {
  const path = `/v1/partitions/${encodeURIComponent(table)}/${encodeURIComponent(date)}`;
  const answer = await callPlatform(platform, "GET", path, partition);
  if (json) return console.log(JSON.stringify(answer, null, 2));
  for (const line of [...facts(answer), ...tables(answer)]) console.log(line);
}

function facts(of: Partition): string[] {
  const { inputs, published, lease, backfill } = of;
  const retries = of.retry_count === 0 ? "" : `, ${of.retry_count} retries used, ${of.retries_left} left`;
  const read =
    inputs.files === null
      ? inputs.tables.map((each) => `${each.table} ${each.version ?? "(nothing published)"}`).join(", ")
      : `${inputs.rows} rows of bronze in ${inputs.files} files`;
  const lines: (readonly [string, string | undefined])[] = [
    ["state", `${of.status}${retries}`],
    ["waits for", of.waits],
    ["what to do", of.remedy ?? undefined],
    ["error", of.error_message ?? undefined],
    ["lease", lease === null ? undefined : `run ${lease.run_id} since ${lease.since ?? "?"}, until ${lease.until}`],
    ["backfill", backfill === null ? undefined : `${backfill.backfill_id} (${backfill.state})`],
    ["steps", of.steps === null ? undefined : stepsText(of.steps)],
    ["inputs", `${read || "of the ledger"}; ${inputs.changes - inputs.changes_built} changes since the last build`],
    ["looks up", inputs.pins.map(({ table, version }) => `${table} as of version ${version}`).join(", ") || undefined],
    ["sealed", inputs.sealed ? "its bronze is past retention: it cannot be built again" : undefined],
    [
      "published",
      published === null
        ? "nothing"
        : `${published.rows} rows in ${published.files} files at ${published.committed_at}, version ${published.version}`,
    ],
    ["revisions", of.revisions === 0 ? undefined : String(of.revisions)],
    ["closes", of.closes_at ?? "never"],
  ];
  return [
    `${of.table} ${of.partition_date}`,
    ...lines.flatMap(([name, text]) => (text === undefined ? [] : [`  ${name.padEnd(12)}${text}`])),
  ];
}

function stepsText({ done, unread_rows, attempts, splits }: NonNullable<Partition["steps"]>): string {
  const tried = attempts > 1 ? `; ${attempts} builders began the present one` : "";
  const cut = splits === 0 ? "" : `; it was halved ${splits === 1 ? "once" : `${splits} times`}`;
  return `${done} done${unread_rows === null ? "" : `, ${unread_rows} rows to read`}${tried}${cut}`;
}

function tables({ runs, checks, waiting_checks: waiting, decisions }: Partition): string[] {
  return [
    ...section(
      "Checks of the last run",
      checks,
      ["layer", "check", "measured", "bound", "passed", "on fail"],
      (each) => [
        each.layer,
        each.check_name,
        each.measured === null ? "no number" : String(each.measured),
        JSON.stringify(each.bound),
        each.passed ? "yes" : "NO",
        each.on_fail,
      ],
    ),
    ...section(
      "Checks that wait until it has closed",
      waiting,
      ["layer", "check", "bound", "on fail", "judged at"],
      (each) => [each.layer, each.check_name, JSON.stringify(each.bound), each.on_fail, each.judged_at],
    ),
    ...section("Runs", runs, ["run", "kind", "status", "started", "ended", "rows in", "rows out"], (each) => [
      each.run_id,
      each.kind,
      each.status,
      each.started_at,
      each.finished_at ?? "",
      String(each.rows_in ?? ""),
      String(each.rows_out ?? ""),
    ]),
    ...section("Decisions", decisions, ["at", "by", "action", "reason"], (each) => [
      each.decided_at,
      each.decided_by,
      each.action,
      each.reason,
    ]),
  ];
}

function section<Row>(
  title: string,
  rows: readonly Row[],
  columns: readonly string[],
  cells: (row: Row) => readonly string[],
): string[] {
  if (rows.length === 0) return [];
  const numeric = new Set(["measured", "rows in", "rows out"]);
  return [
    "",
    title,
    ...printTable(
      columns.map((name) => ({ name, numeric: numeric.has(name) })),
      rows.map(cells),
    ),
  ];
}
