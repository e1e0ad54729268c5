/**
 * D1 does not grow with what is closed: of a date of bronze that was built and got nothing new for days, its rows go to a manifest
 * in R2. A late file stands in D1 beside it and is folded in its turn. The object is put before D1 turns, so a crash between the two
 * leaves one that nothing names, and the next run makes the same one.
 */
import { randomUUID } from "node:crypto";
import { HOUR_MS, hourText } from "../../../schemas/hours.ts";
import { parseTimestamp } from "../../../schemas/time.ts";
import {
  type BronzeDate,
  type FileOfDate,
  filesOfDate,
  foldableDates,
  foldDate,
  foldedDate,
} from "../../../sql/statements/bronze-folding.ts";
import { isMixed } from "../../bronze/table.ts";
import type { LakeBucket } from "../lake.ts";
import { silverTableName } from "../silver-columns.ts";
import { namedManifest, putBronzeManifest, readBronzeManifest, type StandingFile } from "./manifest.ts";

/** Compaction looks back three days for what there is to compact (`upkeep/compaction/schedule.ts`): nothing younger may go. */
const OPEN_MS = 5 * 24 * HOUR_MS;
/** Each costs a put and some calls of D1. */
const DATES_A_RUN = 50;

/** One run at `now` (milliseconds since the epoch): safe at any time and twice at once. Throws what R2 and D1 throw. */
export async function foldBronze(
  db: D1Database,
  bucket: Pick<LakeBucket, "get" | "put">,
  topics: readonly string[],
  now: number,
): Promise<{ readonly dates: number; readonly more?: "now" }> {
  const tables = topics.map((topic) => ({ topic, table: silverTableName(topic) }));
  const due = await foldableDates(db, tables, new Date(now - OPEN_MS).toISOString(), DATES_A_RUN);
  let dates = 0;
  for (const date of due) if (await fold(db, bucket, date)) dates++;
  return { dates, ...(dates > 0 && due.length === DATES_A_RUN ? { more: "now" } : {}) };
}

async function fold(db: D1Database, bucket: Pick<LakeBucket, "get" | "put">, date: BronzeDate): Promise<boolean> {
  const before = await foldedDate(db, date);
  const rows = await filesOfDate(db, date);
  if (rows.length === 0) return false;
  const older = before === null ? [] : (await readBronzeManifest(bucket, before.manifest)).files;
  const files = [...older, ...standingFiles(rows)];
  const { key, text } = namedManifest(date.topic, date.partition_date, files);
  await putBronzeManifest(bucket, key, text);
  return await foldDate(
    db,
    { ...date, manifest: key, ...totalsOf(files) },
    { files: rows, manifest: before?.manifest ?? null },
    randomUUID(),
    hoursOf(rows),
  );
}

/** The files that no other replaced, with the inputs whose rows they have. Pure. */
export function standingFiles(rows: readonly FileOfDate[]): StandingFile[] {
  const compacted = new Map(rows.filter(({ registration }) => registration === 0).map((row) => [row.file, row]));
  const replaced = Map.groupBy(
    rows.filter(({ retired_by }) => retired_by !== null && compacted.has(retired_by)),
    ({ retired_by }) => retired_by ?? "",
  );
  return rows
    .filter(({ retired_by }) => retired_by === null || !compacted.has(retired_by))
    .map((row) => {
      const { registration, retired_by, ...file } = row;
      let stored = row.first_row;
      // A compacted file has its inputs' rows of a date one after another, in the order of their names (`bronze-inputs.ts`).
      const inputs = (registration === 0 ? byName(replaced.get(row.file) ?? []) : [row]).map((input) => {
        const { registration: number, file: key, first_row, rows: count, registered_at } = input;
        const placed = { registration: number, file: key, first_row, rows: count, registered_at, stored_row: stored };
        stored += count;
        return placed;
      });
      // D1 may have given up later dates of a shared file before: it has none that begins after its registration.
      const dates = [row.last_date, ...(isMixed(row.file) ? [row.registered_at.slice(0, 10)] : [])];
      const last = dates.sort().at(-1) ?? row.last_date;
      const standing: StandingFile = {
        ...file,
        last_date: last,
        inputs: inputs.sort((a, b) => a.registration - b.registration),
      };
      return retired_by === null ? standing : { ...standing, retired: true };
    });
}

function byName(rows: readonly FileOfDate[]): FileOfDate[] {
  return rows.toSorted((a, b) => (a.file < b.file ? -1 : 1));
}

/** What D1 keeps of a manifest. Times are widened to whole seconds, so that they compare as texts. Pure. */
export function totalsOf(files: readonly StandingFile[]) {
  const inputs = files.flatMap((file) => file.inputs);
  const live = files.filter(({ retired }) => retired !== true);
  const rowsOf = (each: readonly { readonly rows: number }[]) => each.reduce((sum, { rows }) => sum + rows, 0);
  const registered = files.map((file) => file.registered_at).sort();
  return {
    through: inputs.reduce((highest, { registration }) => Math.max(highest, registration), 0),
    inputs: inputs.length,
    rows: rowsOf(inputs),
    live_files: live.length,
    live_rows: rowsOf(live),
    min_received: second(Math.min(...files.map((file) => millisecondsOf(file.min_received))), 0),
    max_received: second(Math.max(...files.map((file) => millisecondsOf(file.max_received))), 1),
    min_registered: registered[0] ?? "",
    max_registered: registered.at(-1) ?? "",
  };
}

function millisecondsOf(time: string): number {
  return (parseTimestamp(time) ?? 0) / 1_000;
}

function second(milliseconds: number, more: number): string {
  return new Date((Math.floor(milliseconds / 1_000) + more) * 1_000).toISOString();
}

/** Every hour in which one of the files has something received. */
function hoursOf(rows: readonly FileOfDate[]): string[] {
  const hours = new Set<number>();
  for (const { min_received, max_received } of rows) {
    const last = Math.floor(millisecondsOf(max_received) / HOUR_MS);
    for (let hour = Math.floor(millisecondsOf(min_received) / HOUR_MS); hour <= last; hour++) hours.add(hour);
  }
  return [...hours].map(hourText);
}
