/** How the rows of a flush are laid into files: one per date, and one for all the rare dates together. */
import type { Contract } from "../../contracts/contract.ts";
import { type FlushName, mixedKey, partitionKey } from "./table.ts";

/** A date with fewer rows than this shares a file with the other rare ones, so that a storm of old dates makes few files (PROTOCOLS 2). */
export const RARE_DATE_ROWS = 1_000;

/** The rows of one date inside a file: [firstRow, firstRow + rows). */
export interface FileDate {
  readonly day: number;
  readonly firstRow: number;
  readonly rows: number;
}

export interface PlannedFile {
  readonly key: string;
  /** Ascending. */
  readonly dates: readonly FileDate[];
  readonly rows: number;
}

/**
 * Dates of one shared file: what the buffer keeps and the catalog is told of it, a hundred bytes a date, must fit a row. More dates
 * than that are a producer's mistake, or its attack.
 */
const DATES_A_FILE = 2_000;

/** Lays out a flush with so many rows of each day. A flush of one date is one file in the hive path, however small. */
export function planFiles(
  contract: Contract,
  flush: FlushName,
  days: ReadonlyMap<number, { readonly rows: number }>,
): PlannedFile[] {
  const ordered = [...days].sort(([a], [b]) => a - b).map(([day, { rows }]) => ({ day, rows }));
  const rare = ordered.filter(({ rows }) => rows < RARE_DATE_ROWS);
  // A single rare date needs no shared file: its own one costs the same and stands where readers look first.
  const shared = rare.length > 1 ? rare : [];
  const own = rare.length > 1 ? ordered.filter(({ rows }) => rows >= RARE_DATE_ROWS) : ordered;
  const files: PlannedFile[] = own.map(({ day, rows }) => ({
    key: partitionKey(contract, day, flush),
    dates: [{ day, firstRow: 0, rows }],
    rows,
  }));
  if (shared.length === 0) return files;
  for (let part = 0; part * DATES_A_FILE < shared.length; part++) {
    let firstRow = 0;
    const dates = shared.slice(part * DATES_A_FILE, (part + 1) * DATES_A_FILE).map(({ day, rows }) => {
      const date = { day, firstRow, rows };
      firstRow += rows;
      return date;
    });
    files.push({ key: mixedKey(flush, part), dates, rows: firstRow });
  }
  return files;
}

/**
 * Where the row groups of a file start: each holds whole dates, as few as make `RARE_DATE_ROWS` rows. A reader of one date
 * reads little more than it wants, and the footer, which all of them read, stays small.
 */
export function rowGroupStarts(dates: readonly FileDate[]): number[] {
  const starts: number[] = [];
  for (const { firstRow } of dates) {
    const last = starts.at(-1);
    if (last === undefined || firstRow - last >= RARE_DATE_ROWS) starts.push(firstRow);
  }
  return starts;
}
